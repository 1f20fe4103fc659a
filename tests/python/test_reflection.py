"""Looking at live schemas, and tables made of what is found there."""

import os
import warnings

import pytest
from cormorant import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Date,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    exc,
    insert,
    inspect,
    select,
    text,
)
from cormorant.engine.reflection import ObjectKind
from support import statements_of


def shop():
    """Some of everything that all databases have."""
    metadata = MetaData()
    Table(
        "makers", metadata, Column("id", Integer, primary_key=True), Column("Full name", String(50), nullable=False),
        Column("code", Integer, server_default=text("7")), Column("land", String(4), server_default="x'y"),
        Column("year", Integer), UniqueConstraint("code", "land", name="uq_code_land"),
        CheckConstraint("year > 1900", name="ck_year"), Index("ix_land", "land"),
    )  # fmt: skip
    Table(
        "things", metadata, Column("a", Integer, primary_key=True, autoincrement=False),
        Column("b", Integer, primary_key=True, autoincrement=False), Column("price", Numeric(10, 2)),
        Column("maker_id", Integer, ForeignKey("makers.id", name="fk_maker", ondelete="CASCADE"), index=True),
        Column("note", Text), Column("day", Date), Column("weight", Float), Column("big", BigInteger),
        Column("small", SmallInteger), Column("twice", Integer, Computed("a * 2", persisted=True)),
        Index("ux_price_day", "price", "day", unique=True),
    )  # fmt: skip
    Table(
        "parts", metadata, Column("id", Integer, primary_key=True), Column("x", Integer), Column("y", Integer),
        ForeignKeyConstraint(["x", "y"], ["things.a", "things.b"], name="fk_thing"),
    )  # fmt: skip
    return metadata


@pytest.fixture
def filled(engine):
    shop().create_all(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE VIEW cheap AS SELECT a, b FROM things WHERE price < 5"))
    yield engine
    with engine.begin() as connection:
        connection.execute(text("DROP VIEW cheap"))


def by_name(items):
    return {item["name"]: item for item in items}


# -- the inspector


def test_names_of_tables_and_views(filled):
    found = inspect(filled)
    assert sorted(found.get_table_names()) == ["makers", "parts", "things"]
    assert found.get_view_names() == ["cheap"]
    assert found.default_schema_name in found.get_schema_names()
    assert found.has_schema(found.default_schema_name) and not found.has_schema("nowhere")
    assert found.has_table("things") and found.has_table("cheap") and not found.has_table("nothing")
    assert "price" in found.get_view_definition("cheap")


def test_columns_say_their_type_nullness_and_default(filled):
    columns = by_name(inspect(filled).get_columns("makers"))
    assert list(columns) == ["id", "Full name", "code", "land", "year"]
    assert isinstance(columns["Full name"]["type"], String) and columns["Full name"]["type"].length == 50
    assert not columns["Full name"]["nullable"] and columns["year"]["nullable"]
    assert "7" in columns["code"]["default"] and "x''y" in columns["land"]["default"]
    assert columns["year"]["default"] is None


def test_types_are_those_of_the_declaration(filled):
    columns = by_name(inspect(filled).get_columns("things"))
    price = columns["price"]["type"]
    assert isinstance(price, Numeric) and (price.precision, price.scale) == (10, 2)
    for name, cls in (("note", Text), ("day", Date), ("weight", Float), ("big", BigInteger), ("small", SmallInteger)):
        assert isinstance(columns[name]["type"], cls), name


def test_a_computed_column_tells_its_expression(filled):
    computed = by_name(inspect(filled).get_columns("things"))["twice"]["computed"]
    assert computed["persisted"] and "* 2" in computed["sqltext"]
    assert "computed" not in by_name(inspect(filled).get_columns("things"))["a"]


def test_keys_and_constraints_of_a_table(filled):
    found = inspect(filled)
    assert found.get_pk_constraint("things")["constrained_columns"] == ["a", "b"]
    (maker,) = found.get_foreign_keys("things")
    assert (maker["name"], maker["constrained_columns"]) == ("fk_maker", ["maker_id"])
    assert (maker["referred_table"], maker["referred_columns"], maker["referred_schema"]) == ("makers", ["id"], None)
    assert maker["options"] == {"ondelete": "CASCADE"}
    (thing,) = found.get_foreign_keys("parts")
    assert (thing["constrained_columns"], thing["referred_columns"]) == (["x", "y"], ["a", "b"])
    assert [(u["name"], u["column_names"]) for u in found.get_unique_constraints("makers")] == [
        ("uq_code_land", ["code", "land"])
    ]
    (check,) = found.get_check_constraints("makers")
    assert check["name"] == "ck_year" and "1900" in check["sqltext"]


def test_indexes_of_a_table(filled):
    found = inspect(filled)
    indexes = by_name(found.get_indexes("things"))
    assert indexes["ix_things_maker_id"]["column_names"] == ["maker_id"] and not indexes["ix_things_maker_id"]["unique"]
    assert indexes["ux_price_day"]["column_names"] == ["price", "day"] and indexes["ux_price_day"]["unique"]
    assert found.has_index("makers", "ix_land") and not found.has_index("makers", "ix_none")


def test_what_is_not_there_is_refused_by_name(filled):
    found = inspect(filled)
    for ask in (found.get_columns, found.get_pk_constraint, found.get_foreign_keys, found.get_indexes):
        with pytest.raises(exc.NoSuchTableError, match="nothing"):
            ask("nothing")
    with pytest.raises(exc.NoSuchTableError):
        found.get_view_definition("things")


def test_what_was_read_is_kept_until_it_is_cleared(filled):
    found = inspect(filled)
    assert len(found.get_table_names()) == 3
    MetaData().reflect(filled)
    Table("more", MetaData(), Column("id", Integer, primary_key=True)).create(filled)
    assert len(found.get_table_names()) == 3
    found.clear_cache()
    assert "more" in found.get_table_names()


def test_many_tables_are_read_at_once(filled):
    found = inspect(filled)
    columns = found.get_multi_columns()
    assert sorted(columns) == [(None, "makers"), (None, "parts"), (None, "things")]
    names = [column["name"] for column in columns[None, "parts"]]
    assert names == ["id", "x", "y"]
    assert list(found.get_multi_columns(kind=ObjectKind.VIEW)) == [(None, "cheap")]
    assert list(found.get_multi_pk_constraint(filter_names=["parts", "nothing"])) == [(None, "parts")]
    assert len(found.get_multi_foreign_keys()[None, "things"]) == 1


@pytest.mark.skipif(os.environ.get("CORMORANT_TEST_PEER") == "1", reason="it counts our own statements")
def test_reading_more_tables_takes_no_more_statements(engine):
    counts = []
    for size in (2, 20):
        metadata = MetaData()
        for number in range(size):
            Table(f"t{number}", metadata, Column("id", Integer, primary_key=True), Column("x", Integer, index=True))
        metadata.create_all(engine)
        with statements_of(engine) as sent:
            MetaData().reflect(engine)
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 10


def test_tables_are_sorted_after_those_they_refer_to(filled):
    ordered = inspect(filled).get_sorted_table_and_fkc_names()
    assert [name for name, _ in ordered] == ["makers", "things", "parts", None]
    assert ordered[-1] == (None, [])


def test_a_type_that_nobody_knows_is_said(engine):
    if engine.dialect.name == "sqlite":
        pytest.skip("every type has an affinity")
    kind = "polygon" if engine.dialect.name == "postgresql" else "multipolygon"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE odd (id INTEGER PRIMARY KEY, shape {kind})"))
    with pytest.warns(exc.SAWarning, match="Did not recognize type"):
        columns = inspect(engine).get_columns("odd")
    assert type(columns[1]["type"]).__name__ == "NullType"


# -- tables


def test_a_table_is_read_with_those_it_refers_to(filled):
    metadata = MetaData()
    parts = Table("parts", metadata, autoload_with=filled)
    assert sorted(metadata.tables) == ["makers", "parts", "things"]
    assert parts.c.keys() == ["id", "x", "y"] and [column.name for column in parts.primary_key] == ["id"]
    assert {key.column for key in parts.foreign_keys} == set(metadata.tables["things"].primary_key)
    alone = Table("parts", MetaData(), autoload_with=filled, resolve_fks=False)
    assert sorted(alone.metadata.tables) == ["parts"]


def test_a_table_that_was_read_takes_and_gives_rows(filled):
    makers = Table("makers", MetaData(), autoload_with=filled)
    with filled.begin() as connection:
        key = connection.execute(insert(makers).values({"Full name": "ann", "year": 2000})).inserted_primary_key
        assert connection.execute(select(makers.c["Full name"], makers.c.code, makers.c.land)).all() == [
            ("ann", 7, "x'y")
        ]
        assert connection.scalar(select(makers.c.id)) == key[0]


def test_columns_that_are_given_take_their_places(filled):
    things = Table("things", MetaData(), Column("note", String(9), key="remark"), Column("mine", Integer),
                   autoload_with=filled)  # fmt: skip
    assert things.c.keys() == ["a", "b", "price", "maker_id", "remark", "day", "weight", "big", "small", "twice",
                               "mine"]  # fmt: skip
    assert things.c.remark.type.length == 9
    with pytest.raises(exc.ArgumentError, match="Trying to redefine primary-key column 'a'"):
        Table("things", MetaData(), Column("a", Integer), autoload_with=filled)


def test_only_some_columns_are_read(filled):
    things = Table("things", MetaData(), autoload_with=filled, include_columns=["a", "day"])
    assert things.c.keys() == ["a", "day"] and not things.foreign_keys and not things.indexes


def test_a_table_that_is_there_is_extended(filled):
    metadata = MetaData()
    first = Table("parts", metadata, Column("x", String(3)))
    assert Table("parts", metadata, autoload_with=filled, extend_existing=True, autoload_replace=False) is first
    assert isinstance(first.c.x.type, String) and "y" in first.c
    Table("parts", metadata, autoload_with=filled, extend_existing=True)
    assert isinstance(first.c.x.type, Integer)
    assert Table("parts", metadata, autoload_with=filled, keep_existing=True) is first


def test_a_table_that_is_not_there_leaves_nothing_behind(filled):
    metadata = MetaData()
    with pytest.raises(exc.NoSuchTableError, match="nothing"):
        Table("nothing", metadata, autoload_with=filled)
    assert not metadata.tables


def test_listeners_change_columns_as_they_are_read(filled):
    metadata = MetaData()
    seen = []

    @event.listens_for(metadata, "column_reflect")
    def name_keys(inspector, table, column):
        seen.append((table.name, column["name"]))
        column["key"] = "c_" + column["name"]

    def mark(inspector, table, column):
        column["info"] = {"read": True}

    parts = Table("parts", metadata, autoload_with=filled, resolve_fks=False, listeners=[("column_reflect", mark)])
    assert parts.c.keys() == ["c_id", "c_x", "c_y"] and parts.c.c_x.name == "x" and parts.c.c_x.info == {"read": True}
    assert seen == [("parts", "id"), ("parts", "x"), ("parts", "y")]


def test_a_whole_schema_is_read(filled):
    metadata = MetaData()
    metadata.reflect(filled, views=True)
    assert sorted(metadata.tables) == ["cheap", "makers", "parts", "things"]
    assert [table.name for table in metadata.sorted_tables if table.name != "cheap"] == ["makers", "things", "parts"]
    some = MetaData()
    some.reflect(filled, only=lambda name, metadata: name.startswith("m"))
    assert sorted(some.tables) == ["makers"]
    with pytest.raises(exc.InvalidRequestError, match=r"Could not reflect: requested table\(s\) not available"):
        some.reflect(filled, only=["makers", "nothing"])


def described(engine):
    """All that the inspector tells, so that it can be compared."""
    found = inspect(engine)
    told = {}
    for name in sorted(found.get_table_names()):
        columns = [{**column, "type": repr(column["type"])} for column in found.get_columns(name)]
        told[name] = (
            columns, found.get_pk_constraint(name), sorted(found.get_foreign_keys(name), key=str),
            sorted(found.get_indexes(name), key=str), sorted(found.get_unique_constraints(name), key=str),
            found.get_check_constraints(name),
        )  # fmt: skip
    return told


def test_a_schema_that_was_read_is_created_again_the_same(engine):
    shop().create_all(engine)
    before = described(engine)
    copy = MetaData()
    copy.reflect(engine)
    copy.drop_all(engine)
    assert described(engine) == {}
    copy.create_all(engine)
    assert described(engine) == before
    again = MetaData()
    again.reflect(engine)
    assert sorted(again.tables) == ["makers", "parts", "things"]


@pytest.fixture
def other_schema(engine):
    """A connection with a second schema, in which one table refers to another one."""
    name = "other's"
    quoted, make = {
        "sqlite": (f'"{name}"', "ATTACH ':memory:' AS "), "postgresql": (f'"{name}"', "CREATE SCHEMA "),
    }.get(engine.dialect.name, (f"`{name}`", "CREATE DATABASE "))  # fmt: skip
    with engine.connect() as connection:
        connection.exec_driver_sql(make + quoted)
        within = "" if engine.dialect.name == "sqlite" else quoted + "."
        connection.exec_driver_sql(f"CREATE TABLE {quoted}.p (id INTEGER PRIMARY KEY)")
        connection.exec_driver_sql(
            f"CREATE TABLE {quoted}.c (id INTEGER PRIMARY KEY, p_id INTEGER, CONSTRAINT fk FOREIGN KEY (p_id) "
            f"REFERENCES {within}p (id))"
        )
        connection.commit()
        yield connection, name
        if engine.dialect.name not in ("sqlite", "postgresql"):
            connection.exec_driver_sql("DROP DATABASE " + quoted)


def test_a_schema_of_another_name_is_read(other_schema):
    connection, name = other_schema
    found = inspect(connection)
    assert name in found.get_schema_names() and sorted(found.get_table_names(schema=name)) == ["c", "p"]
    assert found.has_table("c", schema=name) and not found.has_table("c")
    assert found.get_foreign_keys("c", schema=name)[0]["referred_schema"] == name
    with pytest.raises(exc.NoSuchTableError):
        found.get_columns("c")
    metadata = MetaData()
    metadata.reflect(connection, schema=name)
    assert sorted(metadata.tables) == [f"{name}.c", f"{name}.p"]
    child, parent = metadata.tables[f"{name}.c"], metadata.tables[f"{name}.p"]
    assert [key.column for key in child.foreign_keys] == [parent.c.id]
    connection.execute(insert(parent).values(id=1))
    assert connection.execute(select(parent.c.id)).scalar() == 1
    connection.rollback()


# -- what one database has


@pytest.mark.database("sqlite")
def test_sqlite_tells_names_from_the_text_of_the_table(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE p (a INTEGER, b INTEGER, UNIQUE (a, b))"))
        connection.execute(text(
            "CREATE TABLE c ( -- a comment, (with signs\n x INTEGER, /* ' */ y INTEGER, CONSTRAINT pk_c PRIMARY KEY "
            "(y, x), CONSTRAINT \"fk c\" FOREIGN KEY (x, y) REFERENCES p (a, b) DEFERRABLE INITIALLY DEFERRED, "
            "CONSTRAINT ck CHECK (x > 0 AND (y < 5)))"
        ))  # fmt: skip
    found = inspect(engine)
    assert found.get_pk_constraint("c") == {"constrained_columns": ["y", "x"], "name": "pk_c"}
    (key,) = found.get_foreign_keys("c")
    assert key["options"] == {"deferrable": True, "initially": "DEFERRED"}
    assert found.get_check_constraints("c") == [{"name": "ck", "sqltext": "x > 0 AND (y < 5)"}]
    with pytest.raises(NotImplementedError):
        found.get_table_comment("c")


@pytest.mark.database("sqlite")
def test_sqlite_leaves_out_indexes_of_expressions_and_tells_conditions(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER, y TEXT)"))
        connection.execute(text("CREATE INDEX ix_lower ON t (lower(y), x)"))
        connection.execute(text("CREATE INDEX ix_some ON t (x) WHERE x > 5"))
    with pytest.warns(exc.SAWarning, match="Skipped unsupported reflection of expression-based index ix_lower"):
        (index,) = inspect(engine).get_indexes("t")
    assert index["name"] == "ix_some" and str(index["dialect_options"]["sqlite_where"]) == "x > 5"


@pytest.mark.database("postgresql")
def test_postgresql_tells_comments_identities_and_how_indexes_sort(engine):
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA other"))
        connection.execute(text("CREATE TABLE other.p (id INTEGER PRIMARY KEY)"))
        connection.execute(text(
            "CREATE TABLE t (id INTEGER GENERATED ALWAYS AS IDENTITY (START 5) PRIMARY KEY, p_id INTEGER REFERENCES "
            "other.p, s TEXT)"
        ))  # fmt: skip
        connection.execute(text("COMMENT ON TABLE t IS 'about t'"))
        connection.execute(text("CREATE INDEX ix ON t (lower(s), p_id DESC) INCLUDE (id) WHERE p_id > 1"))
        connection.execute(text("CREATE SEQUENCE numbers"))
    found = inspect(engine)
    identity = by_name(found.get_columns("t"))["id"]["identity"]
    assert identity["always"] and identity["start"] == 5 and identity["cycle"] is False
    assert found.get_table_comment("t") == {"text": "about t"}
    assert found.has_sequence("numbers") and not found.has_sequence("t")
    (index,) = found.get_indexes("t")
    assert index["expressions"] == ["lower(s)", "p_id"] and index["column_sorting"] == {"p_id": ("desc",)}
    assert index["dialect_options"] == {"postgresql_include": ["id"], "postgresql_where": "(p_id > 1)"}
    assert found.get_foreign_keys("t")[0]["referred_schema"] == "other"
    metadata = MetaData()
    Table("t", metadata, autoload_with=engine)
    assert sorted(metadata.tables) == ["other.p", "t"]


@pytest.mark.database("mariadb")
def test_mariadb_tells_comments_lengths_and_times_of_change(engine):
    with engine.begin() as connection:
        connection.execute(text(
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTO_INCREMENT COMMENT 'the key', s VARCHAR(50), u INT UNSIGNED, "
            "at TIMESTAMP NOT NULL DEFAULT current_timestamp ON UPDATE current_timestamp, INDEX ix (s(5))) "
            "COMMENT 'about t'"
        ))  # fmt: skip
    found = inspect(engine)
    columns = by_name(found.get_columns("t"))
    assert columns["id"]["autoincrement"] and columns["id"]["comment"] == "the key"
    assert columns["at"]["default"] == "current_timestamp() ON UPDATE current_timestamp()"
    assert found.get_table_comment("t") == {"text": "about t"}
    assert list(by_name(found.get_indexes("t"))["ix"]["dialect_options"].values()) == [{"s": 5}]
    table = Table("t", MetaData(), autoload_with=engine)
    table.drop(engine)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table.create(engine)
    assert by_name(inspect(engine).get_columns("t"))["at"]["default"] == columns["at"]["default"]
