"""MetaData, Table, Column and their constraints: declared, created, dropped, looked at."""

import pytest
from cormorant import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Sequence,
    String,
    Table,
    Text,
    UniqueConstraint,
    exc,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from cormorant.schema import CreateIndex, CreateTable, DropTable
from support import flat, statements_of, verbs, words


@pytest.fixture
def metadata():
    return MetaData()


def tables_in(engine):
    with engine.connect() as connection:
        return set(inspect(connection).get_table_names())


def test_a_table_knows_its_columns_by_attribute_and_by_name(metadata):
    users = Table("users", metadata, Column("id", Integer, primary_key=True), Column("name", String(50)))
    assert users.c.name is users.columns["name"] is users.c["name"]
    assert users.c.keys() == ["id", "name"]
    assert [column.name for column in users.c] == ["id", "name"]
    assert "name" in users.c and "age" not in users.c
    assert len(users.c) == 2
    assert users.c.name.table is users
    assert users.name == "users" and str(users) == "users"
    assert str(users.c.name) == "users.name"
    assert list(users.primary_key) == [users.c.id]
    assert users.metadata is metadata


def test_asking_for_a_column_that_is_not_there_is_an_error(metadata):
    users = Table("users", metadata, Column("id", Integer, primary_key=True))
    with pytest.raises(AttributeError, match="age"):
        users.c.age
    with pytest.raises(KeyError, match="age"):
        users.c["age"]


def test_metadata_knows_its_tables(metadata):
    users = Table("users", metadata, Column("id", Integer, primary_key=True))
    assert metadata.tables["users"] is users
    assert "users" in metadata
    assert list(metadata.tables) == ["users"]
    metadata.remove(users)
    assert "users" not in metadata
    Table("users", metadata, Column("id", Integer))
    metadata.clear()
    assert not metadata.tables


def test_the_same_name_gives_the_same_table_but_is_not_declared_twice(metadata):
    users = Table("users", metadata, Column("id", Integer, primary_key=True))
    assert Table("users", metadata) is users
    with pytest.raises(exc.InvalidRequestError, match="Table 'users' is already defined for this MetaData instance"):
        Table("users", metadata, Column("name", String(50)))
    again = Table("users", metadata, Column("name", String(50)), extend_existing=True)
    assert again is users and users.c.keys() == ["id", "name"]
    assert Table("users", metadata, Column("age", Integer), keep_existing=True) is users
    assert "age" not in users.c


def test_a_columns_key_may_differ_from_its_name(metadata, engine):
    users = Table("users", metadata, Column("user_id", Integer, primary_key=True, key="id"))
    assert users.c.keys() == ["id"] and users.c.id.name == "user_id"
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(users), {"id": 7})
        assert connection.execute(select(users)).one().id == 7


@pytest.mark.database("sqlite")
def test_create_table_says_what_the_declaration_says(metadata, engine):
    Table("teams", metadata, Column("id", Integer, primary_key=True))
    users = Table(
        "users",
        metadata,
        Column("id", Integer, Sequence("user_id_seq"), primary_key=True),
        Column("name", String(50), nullable=False),
        Column("bio", Text),
        Column("price", Numeric(10, 2)),
        Column("is_on", Boolean, server_default="1"),
        Column("made", DateTime, server_default=func.now()),
        Column("email", String(10), unique=True),
        Column("team_id", ForeignKey("teams.id", ondelete="CASCADE", onupdate="SET NULL")),
        CheckConstraint("length(name) > 1", name="long_names"),
    )
    assert flat(CreateTable(users).compile(engine)) == flat(
        """CREATE TABLE users ( id INTEGER NOT NULL, name VARCHAR(50) NOT NULL, bio TEXT, price NUMERIC(10, 2),
        is_on BOOLEAN DEFAULT '1', made DATETIME DEFAULT CURRENT_TIMESTAMP, email VARCHAR(10), team_id INTEGER,
        PRIMARY KEY (id), CONSTRAINT long_names CHECK (length(name) > 1), UNIQUE (email),
        FOREIGN KEY(team_id) REFERENCES teams (id) ON DELETE CASCADE ON UPDATE SET NULL )"""
    )
    assert flat(DropTable(users)) == "DROP TABLE users"


def test_a_foreign_key_column_takes_its_type_from_what_it_refers_to(metadata):
    Table("codes", metadata, Column("code", String(3), primary_key=True))
    users = Table("users", metadata, Column("code", ForeignKey("codes.code")))
    assert "code VARCHAR(3)" in flat(CreateTable(users))
    (key,) = users.c.code.foreign_keys
    assert key.column is metadata.tables["codes"].c.code
    assert key.parent is users.c.code
    assert users.c.code.references(metadata.tables["codes"].c.code)


def test_a_foreign_key_may_point_to_a_column_object(metadata, engine):
    teams = Table("teams", metadata, Column("id", Integer, primary_key=True))
    Table("users", metadata, Column("id", Integer, primary_key=True), Column("team_id", ForeignKey(teams.c.id)))
    metadata.create_all(engine)
    (key,) = inspect(engine).get_foreign_keys("users")
    assert (key["referred_table"], key["constrained_columns"], key["referred_columns"]) == (
        "teams",
        ["team_id"],
        ["id"],
    )


def test_a_foreign_key_to_nowhere_is_an_error_that_names_both_ends(metadata):
    users = Table("users", metadata, Column("id", Integer, primary_key=True), Column("t", ForeignKey("teams.id")))
    with pytest.raises(exc.NoReferencedTableError, match="'users.t' could not find table 'teams'"):
        CreateTable(users).compile()
    Table("teams", metadata, Column("key", Integer, primary_key=True))
    (key,) = users.c.t.foreign_keys
    with pytest.raises(exc.NoReferencedColumnError, match="table 'teams' has no column named 'id'"):
        key.column


def test_tables_are_created_parents_first_and_dropped_children_first(metadata, engine):
    Table("c", metadata, Column("id", Integer, primary_key=True), Column("b_id", ForeignKey("b.id")))
    Table("b", metadata, Column("id", Integer, primary_key=True), Column("a_id", ForeignKey("a.id")))
    Table("a", metadata, Column("id", Integer, primary_key=True))
    assert [table.name for table in metadata.sorted_tables] == ["a", "b", "c"]
    with statements_of(engine) as sent:
        metadata.create_all(engine)
        metadata.drop_all(engine)
    made = [one.text.split()[2] for one in sent if one.verb == "CREATE"]
    gone = [one.text.split()[2] for one in sent if one.verb == "DROP"]
    assert made == ["a", "b", "c"] and gone == ["c", "b", "a"]


def test_tables_that_refer_to_each_other_can_be_created_and_dropped(metadata, engine):
    Table("a", metadata, Column("id", Integer, primary_key=True), Column("b_id", ForeignKey("b.id", name="to_b")))
    Table("b", metadata, Column("id", Integer, primary_key=True), Column("a_id", ForeignKey("a.id", name="to_a")))
    metadata.create_all(engine)
    assert tables_in(engine) == {"a", "b"}
    assert inspect(engine).get_foreign_keys("a")[0]["referred_table"] == "b"
    metadata.drop_all(engine)
    assert tables_in(engine) == set()


def test_a_table_may_refer_to_itself(metadata, engine):
    Table("nodes", metadata, Column("id", Integer, primary_key=True), Column("up", ForeignKey("nodes.id")))
    metadata.create_all(engine)
    metadata.drop_all(engine)
    assert tables_in(engine) == set()


def test_what_exists_is_not_created_again_unless_told_not_to_look(metadata, engine):
    Table("users", metadata, Column("id", Integer, primary_key=True))
    metadata.create_all(engine)
    with statements_of(engine) as sent:
        metadata.create_all(engine)
    assert "CREATE" not in verbs(sent)
    there = words(
        sqlite="table users already exists", postgresql='"users" already exists', mariadb="'users' already exists"
    )
    with pytest.raises(exc.DatabaseError, match=there):
        metadata.create_all(engine, checkfirst=False)
    metadata.drop_all(engine)
    with statements_of(engine) as sent:
        metadata.drop_all(engine)
    assert "DROP" not in verbs(sent)
    gone = words(sqlite="no such table: users", postgresql='"users" does not exist', mariadb="Unknown table.*users")
    with pytest.raises(exc.DatabaseError, match=gone):
        metadata.drop_all(engine, checkfirst=False)


def test_only_some_tables_can_be_created_and_dropped(metadata, engine):
    a = Table("a", metadata, Column("id", Integer, primary_key=True))
    b = Table("b", metadata, Column("id", Integer, primary_key=True))
    metadata.create_all(engine, tables=[b])
    assert tables_in(engine) == {"b"}
    a.create(engine)
    b.drop(engine)
    assert tables_in(engine) == {"a"}
    a.create(engine, checkfirst=True)
    a.drop(engine)
    a.drop(engine, checkfirst=True)
    assert tables_in(engine) == set()


def test_creating_through_a_connection_belongs_to_its_transaction(metadata, file_engine):
    Table("users", metadata, Column("id", Integer, primary_key=True))
    with file_engine.begin() as connection:
        metadata.create_all(connection)
        assert inspect(connection).has_table("users")
    assert inspect(file_engine).get_table_names() == ["users"]


def test_indexes_are_created_with_the_table(metadata, engine):
    users = Table(
        "users",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", String(50), index=True),
        Column("email", String(50), index=True, unique=True),
        Column("age", Integer),
        Index("by_age_and_name", "age", "name"),
    )
    metadata.create_all(engine)
    found = {one["name"]: (bool(one["unique"]), one["column_names"]) for one in inspect(engine).get_indexes("users")}
    assert found == {"ix_users_name": (False, ["name"]), "ix_users_email": (True, ["email"]),
                     "by_age_and_name": (False, ["age", "name"])}  # fmt: skip
    later = Index("by_age", users.c.age, unique=True)
    assert flat(CreateIndex(later)) == "CREATE UNIQUE INDEX by_age ON users (age)"
    later.create(engine)
    assert "by_age" in {one["name"] for one in inspect(engine).get_indexes("users")}
    later.drop(engine)
    assert "by_age" not in {one["name"] for one in inspect(engine).get_indexes("users")}


def test_unique_not_null_and_check_are_kept_by_the_database(metadata, engine):
    users = Table(
        "users",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", String(50), nullable=False),
        Column("a", Integer, CheckConstraint("a > 0")),
        Column("b", Integer),
        UniqueConstraint("a", "b", name="once"),
    )
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(users), {"id": 1, "name": "x", "a": 1, "b": 1})
    complaints = words(
        sqlite=("NOT NULL constraint failed: users.name", "CHECK constraint failed",
                "UNIQUE constraint failed: users.a, users.b", "UNIQUE constraint failed: users.id"),
        postgresql=('null value in column "name"', "violates check constraint", 'unique constraint "once"',
                    'unique constraint "users_pkey"'),
        mariadb=("Column 'name' cannot be null", "CONSTRAINT .* failed", "Duplicate entry.*once",
                 "Duplicate entry.*PRIMARY"),
    )  # fmt: skip
    values_refused = [{"id": 2, "name": None}, {"id": 3, "name": "x", "a": 0}, {"id": 4, "name": "x", "a": 1, "b": 1},
                      {"id": 1, "name": "x"}]  # fmt: skip
    of_check = words(sqlite=exc.IntegrityError, postgresql=exc.IntegrityError, mariadb=exc.OperationalError)
    errors = [exc.IntegrityError, of_check, exc.IntegrityError, exc.IntegrityError]
    for values, error, complaint in zip(values_refused, errors, complaints):
        with pytest.raises(error, match=complaint), engine.begin() as connection:
            connection.execute(insert(users), values)


def test_a_composite_primary_key_is_one_key_of_two_columns(metadata, engine):
    seats = Table(
        "seats",
        metadata,
        Column("row", Integer, primary_key=True, autoincrement=False),
        Column("number", Integer, primary_key=True, autoincrement=False),
    )
    assert [column.name for column in seats.primary_key] == ["row", "number"]
    assert "PRIMARY KEY (row, number)" in flat(CreateTable(seats))
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(seats), [{"row": 1, "number": 1}, {"row": 1, "number": 2}])
        with pytest.raises(exc.IntegrityError):
            connection.execute(insert(seats), {"row": 1, "number": 2})


def test_constraints_may_be_written_apart_from_the_columns(metadata, engine):
    Table("p", metadata, Column("a", Integer), Column("b", Integer), PrimaryKeyConstraint("a", "b"))
    Table(
        "c",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("pa", Integer),
        Column("pb", Integer),
        ForeignKeyConstraint(["pa", "pb"], ["p.a", "p.b"], ondelete="CASCADE", name="to_p"),
    )
    metadata.create_all(engine)
    (key,) = inspect(engine).get_foreign_keys("c")
    assert key["constrained_columns"] == ["pa", "pb"] and key["referred_columns"] == ["a", "b"]
    assert key["options"] == {"ondelete": "CASCADE"}
    assert inspect(engine).get_pk_constraint("p")["constrained_columns"] == ["a", "b"]


def test_names_that_need_quotes_get_them(metadata, engine):
    odd = Table(
        "order",
        metadata,
        Column("select", Integer, primary_key=True),
        Column('say "hi"', String(50)),
        Column("MiXed", String(50)),
    )
    assert flat(select(odd)) == 'SELECT "order"."select", "order"."say ""hi""", "order"."MiXed" FROM "order"'
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(odd), {"select": 1, 'say "hi"': "there", "MiXed": "case"})
        assert connection.execute(select(odd)).one() == (1, "there", "case")


def test_defaults_fill_what_an_insert_leaves_out(metadata, engine):
    calls = []

    def next_code():
        calls.append(1)
        return f"code {len(calls)}"

    things = Table(
        "things",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("plain", Integer, default=5),
        Column("made", String(50), default=next_code),
        Column("seen", String(50), default=lambda context: "for " + str(context.get_current_parameters()["plain"])),
        Column("sql", Integer, default=func.length("four")),
        Column("server", String(50), server_default="from the server"),
        Column("counted", Integer, server_default=text("6 * 7")),
    )
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(things), [{"id": 1}, {"id": 2}])
        connection.execute(insert(things), {"id": 3, "plain": None, "made": "by hand", "server": None})
        rows = connection.execute(select(things).order_by(things.c.id)).all()
    assert rows[0] == (1, 5, "code 1", "for 5", 4, "from the server", 42)
    assert rows[1] == (2, 5, "code 2", "for 5", 4, "from the server", 42)
    assert rows[2] == (3, None, "by hand", "for None", 4, None, 42)
    assert len(calls) == 2


def test_onupdate_fills_what_an_update_leaves_out(metadata, engine):
    things = Table(
        "things",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", String(50)),
        Column("version", Integer, default=1, onupdate=lambda: 2),
        Column("state", String(50), onupdate="touched"),
    )
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(insert(things), {"id": 1, "name": "a"})
        assert connection.execute(select(things.c.version, things.c.state)).one() == (1, None)
        connection.execute(update(things).values(name="b"))
        assert connection.execute(select(things.c.version, things.c.state)).one() == (2, "touched")
        connection.execute(update(things).values(name="c", version=9))
        assert connection.execute(select(things.c.version)).scalar() == 9


def test_autoincrement_gives_keys_that_come_back(metadata, engine):
    things = Table("things", metadata, Column("id", Integer, primary_key=True), Column("n", Integer))
    metadata.create_all(engine)
    with engine.begin() as connection:
        first = connection.execute(insert(things), {"n": 1})
        second = connection.execute(insert(things), {"n": 2})
        named = connection.execute(insert(things), {"id": 50, "n": 3})
    assert first.inserted_primary_key == (1,) and first.inserted_primary_key.id == 1
    assert second.inserted_primary_key == (2,)
    assert named.inserted_primary_key == (50,)


def test_a_naming_convention_names_what_has_no_name(engine):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    Table("teams", metadata, Column("id", Integer, primary_key=True))
    users = Table(
        "users",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("email", String(50), unique=True),
        Column("team_id", ForeignKey("teams.id")),
    )
    words = flat(CreateTable(users))
    assert "CONSTRAINT pk_users PRIMARY KEY (id)" in words
    assert "CONSTRAINT uq_users_email UNIQUE (email)" in words
    assert "CONSTRAINT fk_users_team_id_teams FOREIGN KEY(team_id)" in words


def test_a_column_is_described_by_its_attributes(metadata):
    made = Column("name", String(5), nullable=False, default="x", unique=True, index=True, doc="what", comment="why")
    Table("users", metadata, Column("id", Integer, primary_key=True), made, info={"owner": "me"})
    assert made.name == made.key == "name"
    assert isinstance(made.type, String) and made.type.length == 5
    assert (made.nullable, made.unique, made.index, made.primary_key) == (False, True, True, False)
    assert made.default.arg == "x"
    assert (made.doc, made.comment) == ("what", "why")
    assert metadata.tables["users"].info == {"owner": "me"}
    assert metadata.tables["users"].c.id.nullable is False
    assert repr(made).startswith("Column('name', String(length=5), table=<users>")


def test_a_column_belongs_to_one_table_only(metadata):
    shared = Column("id", Integer, primary_key=True)
    Table("a", metadata, shared)
    with pytest.raises(exc.ArgumentError, match="Column object 'id' already assigned to Table 'a'"):
        Table("b", metadata, shared)


def test_a_tables_copy_lives_in_other_metadata(metadata):
    users = Table("users", metadata, Column("id", Integer, primary_key=True), Column("name", String(5)))
    other = MetaData()
    copy = users.to_metadata(other)
    assert copy is not users and copy.c.keys() == users.c.keys() and other.tables["users"] is copy
    assert copy.c.id is not users.c.id and copy.c.id.primary_key
