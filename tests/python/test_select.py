"""select(): entities, columns and both; where, joins, order, groups, limits, subqueries."""

import pytest
from cormorant import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    and_,
    desc,
    distinct,
    exc,
    except_,
    exists,
    func,
    intersect,
    literal,
    select,
    text,
    true,
    union,
    union_all,
)
from cormorant.dialects import mysql, postgresql, sqlite
from cormorant.orm import aliased
from people import Address, User
from support import flat, statements_of

USERS = "users.id, users.name, users.age"


def names(session, statement):
    return [user.name for user in session.scalars(statement)]


def test_select_says_what_was_asked_for():
    assert flat(select(User)) == f"SELECT {USERS} FROM users"
    assert flat(select(User.name)) == "SELECT users.name FROM users"
    assert flat(select(User, Address.email)) == f"SELECT {USERS}, addresses.email FROM users, addresses"
    assert flat(select(User.__table__)) == f"SELECT {USERS} FROM users"
    assert flat(select(func.count()).select_from(User)) == "SELECT count(*) AS count_1 FROM users"
    assert flat(select(literal(1).label("one"))) == "SELECT :param_1 AS one"
    assert flat(select(User.name).distinct()) == "SELECT DISTINCT users.name FROM users"
    assert flat(select(User.id).where(User.age > 5, User.name == "x").where(User.id == 1)) == (
        "SELECT users.id FROM users WHERE users.age > :age_1 AND users.name = :name_1 AND users.id = :id_1"
    )
    assert flat(select(User.id).order_by(User.age.desc(), "name")) == (
        "SELECT users.id FROM users ORDER BY users.age DESC, users.name"
    )
    assert flat(select(User.age, func.count()).group_by(User.age).having(func.count() > 1)) == (
        "SELECT users.age, count(*) AS count_1 FROM users GROUP BY users.age HAVING count(*) > :count_2"
    )
    assert flat(select(User.id).limit(5).offset(2)) == "SELECT users.id FROM users LIMIT :param_1 OFFSET :param_2"


def test_joins_say_how_tables_meet():
    joined = f"SELECT {USERS} FROM users JOIN addresses ON users.id = addresses.user_id"
    assert flat(select(User).join(User.addresses)) == joined
    assert flat(select(User).join(Address)) == joined
    assert flat(select(User).join(Address, User.id == Address.user_id)) == joined
    assert flat(select(User).join_from(User, Address)) == joined
    assert flat(select(User).select_from(User).join(User.addresses)) == joined
    assert flat(select(User).outerjoin(User.addresses)) == joined.replace("JOIN", "LEFT OUTER JOIN")
    assert flat(select(User).join(User.addresses, isouter=True)) == joined.replace("JOIN", "LEFT OUTER JOIN")
    assert (
        flat(select(User).join(User.addresses.and_(Address.email == "x"))) == joined + " AND addresses.email = :email_1"
    )
    assert flat(select(Address.email).join(Address.user)) == (
        "SELECT addresses.email FROM addresses JOIN users ON users.id = addresses.user_id"
    )
    u = aliased(User, name="u")
    assert flat(select(u).join(u.addresses)) == (
        "SELECT u.id, u.name, u.age FROM users AS u JOIN addresses ON u.id = addresses.user_id"
    )
    a = aliased(Address)
    assert flat(select(User.id).join(User.addresses.of_type(a))) == (
        "SELECT users.id FROM users JOIN addresses AS addresses_1 ON users.id = addresses_1.user_id"
    )


def test_an_entity_comes_as_an_object_and_a_column_as_its_value(session):
    rows = session.execute(select(User, Address.email).join(User.addresses).order_by(Address.id)).all()
    assert [(row.User.name, row.email) for row in rows] == [("ann", "ann@a"), ("ann", "ann@b"), ("bob", "bob@a")]
    assert rows[0].User is rows[1].User


def test_scalars_gives_the_first_of_each_row(session):
    assert names(session, select(User).order_by(User.id)) == ["ann", "bob", "cid", "dot"]
    assert session.scalars(select(User.name, User.age).order_by(User.id)).all() == ["ann", "bob", "cid", "dot"]
    assert session.scalar(select(func.max(User.age))) == 30
    assert session.scalar(select(User).where(User.name == "nobody")) is None


def test_rows_are_filtered_ordered_and_cut(session):
    by_name = select(User).order_by(User.name)
    assert names(session, by_name.where(User.age == 30)) == ["ann", "cid"]
    assert names(session, by_name.filter(User.age == 30).filter_by(name="cid")) == ["cid"]
    assert names(session, select(User).order_by(desc(User.name))) == ["dot", "cid", "bob", "ann"]
    assert names(session, select(User).order_by(User.age.desc().nulls_last(), User.name.desc())) == [
        "cid",
        "ann",
        "bob",
        "dot",
    ]
    assert names(session, by_name.limit(2)) == ["ann", "bob"]
    assert names(session, by_name.limit(2).offset(1)) == ["bob", "cid"]
    assert names(session, by_name.offset(3)) == ["dot"]
    assert names(session, by_name.slice(1, 3)) == ["bob", "cid"]
    assert names(session, by_name.limit(0)) == []


def test_order_by_none_forgets_the_order_so_far():
    assert flat(select(User.id).order_by(User.name).order_by(None)) == "SELECT users.id FROM users"
    assert flat(select(User.id).order_by(User.name).order_by(User.id)) == (
        "SELECT users.id FROM users ORDER BY users.name, users.id"
    )


def test_rows_are_grouped(session):
    counts = select(User.age, func.count(User.id).label("many")).group_by(User.age).order_by(User.age.nulls_first())
    assert session.execute(counts).all() == [(None, 1), (20, 1), (30, 2)]
    assert session.execute(counts.having(func.count(User.id) > 1)).all() == [(30, 2)]
    assert [row.many for row in session.execute(counts)] == [1, 1, 2]
    per_user = select(User.name, func.count(Address.id)).outerjoin(User.addresses).group_by(User.id).order_by(User.id)
    assert session.execute(per_user).all() == [("ann", 2), ("bob", 1), ("cid", 0), ("dot", 0)]


def test_distinct_rows_come_once(session):
    assert session.scalars(select(User.age).distinct().order_by(User.age.nulls_first())).all() == [None, 20, 30]
    assert session.scalar(select(func.count(distinct(User.age)))) == 2


def test_a_statement_is_never_changed_only_continued():
    base = select(User)
    narrowed = base.where(User.id == 1)
    assert flat(base) == f"SELECT {USERS} FROM users"
    assert narrowed is not base and "WHERE" in flat(narrowed)


def test_aliases_let_a_table_meet_itself(session):
    other = aliased(User)
    pairs = select(User.name, other.name).join(other, and_(User.age == other.age, User.id < other.id)).order_by(User.id)
    assert session.execute(pairs).all() == [("ann", "cid")]
    rows = session.execute(
        select(User, other).join(other, User.age == other.age).where(User.id == 1, other.id == 3)
    ).all()
    assert [(a.name, b.name) for a, b in rows] == [("ann", "cid")]
    assert names(session, select(other).where(other.name == "bob")) == ["bob"]


def test_a_subquery_is_a_table(session):
    counted = select(Address.user_id, func.count().label("many")).group_by(Address.user_id).subquery()
    statement = select(User.name, counted.c.many).join(counted, User.id == counted.c.user_id).order_by(User.id)
    assert session.execute(statement).all() == [("ann", 2), ("bob", 1)]
    assert counted.c.keys() == ["user_id", "many"]


def test_an_entity_can_be_read_from_a_subquery(session):
    thirty = select(User).where(User.age == 30).subquery()
    person = aliased(User, thirty)
    found = session.scalars(select(person).order_by(person.name)).all()
    assert [one.name for one in found] == ["ann", "cid"] and type(found[0]) is User
    assert found[0] is session.get(User, 1)


def test_a_common_table_expression_is_a_table_with_a_name(session):
    elders = select(User.id).where(User.age == 30).cte("elders")
    statement = select(User.name).join(elders, elders.c.id == User.id).order_by(User.name)
    assert flat(statement).startswith(
        "WITH elders AS (SELECT users.id AS id FROM users WHERE users.age = :age_1) SELECT"
    )
    assert session.scalars(statement).all() == ["ann", "cid"]


def test_a_recursive_expression_counts(session):
    numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < 5))
    assert session.scalars(select(numbers.c.n)).all() == [1, 2, 3, 4, 5]


def test_scalar_subqueries_are_values(session):
    many = select(func.count(Address.id)).where(Address.user_id == User.id).scalar_subquery()
    statement = select(User.name, many.label("many")).order_by(many.desc(), User.name)
    assert session.execute(statement).all() == [("ann", 2), ("bob", 1), ("cid", 0), ("dot", 0)]
    assert names(session, select(User).where(many == 1)) == ["bob"]
    oldest = select(func.max(User.age)).scalar_subquery()
    assert names(session, select(User).where(User.age == oldest).order_by(User.id)) == ["ann", "cid"]


def test_exists_asks_about_other_rows(session):
    has = exists().where(Address.user_id == User.id)
    assert names(session, select(User).where(has).order_by(User.id)) == ["ann", "bob"]
    assert names(session, select(User).where(~has).order_by(User.id)) == ["cid", "dot"]
    has = select(Address.id).where(Address.user_id == User.id).exists()
    assert names(session, select(User).where(has).order_by(User.id)) == ["ann", "bob"]


def test_sets_of_rows_combine(session):
    thirty, ann = select(User.id).where(User.age == 30), select(User.id).where(User.name == "ann")
    assert sorted(session.scalars(union(thirty, ann))) == [1, 3]
    assert sorted(session.scalars(union_all(thirty, ann))) == [1, 1, 3]
    assert session.scalars(intersect(thirty, ann)).all() == [1]
    assert session.scalars(except_(thirty, ann)).all() == [3]
    assert session.scalars(thirty.union(ann).order_by("id")).all() == [1, 3]


def test_text_can_stand_where_sql_is_expected(session):
    assert names(session, select(User).where(text("age = :age")).order_by(text("name DESC")).params(age=30)) == [
        "cid",
        "ann",
    ]
    found = session.scalars(select(User).from_statement(text("SELECT * FROM users WHERE name = :n")), {"n": "bob"})
    assert found.one().name == "bob"


def test_an_unknown_name_in_order_by_is_an_error(session):
    with pytest.raises(exc.CompileError, match="Can't resolve label reference for ORDER BY"):
        session.execute(select(User).order_by("nothing like that"))


def test_joins_that_cannot_be_guessed_are_errors():
    metadata = MetaData()
    a = Table("a", metadata, Column("id", Integer, primary_key=True))
    b = Table("b", metadata, Column("id", Integer, primary_key=True))
    Table("c", metadata, Column("x", ForeignKey("a.id")), Column("y", ForeignKey("a.id")))
    with pytest.raises(exc.NoForeignKeysError, match="Can't find any foreign key relationships between 'a' and 'b'"):
        a.join(b)
    with pytest.raises(exc.AmbiguousForeignKeysError, match="Can't determine join between 'a' and 'c'"):
        a.join(metadata.tables["c"])
    assert flat(a.join(b, a.c.id == b.c.id)) == "a JOIN b ON a.id = b.id"
    assert flat(a.outerjoin(b, true())) == "a LEFT OUTER JOIN b ON true"


def test_joining_to_what_has_no_relationship_is_an_error(session):
    with pytest.raises(exc.InvalidRequestError):
        session.execute(select(User).join(User))


def test_with_only_columns_keeps_the_rest(session):
    statement = select(User).where(User.age == 30)
    counted = statement.with_only_columns(func.count())
    assert session.scalar(counted) == 2
    assert flat(select(User.id).add_columns(User.name)) == "SELECT users.id, users.name FROM users"


def test_statements_of_one_shape_are_sent_as_one_text(session, engine):
    with statements_of(engine) as sent:
        for name in ("ann", "bob", "cid"):
            assert names(session, select(User).where(User.name == name)) == [name]
    assert len({one.text for one in sent}) == 1
    assert [tuple(one.parameters) for one in sent] == [("ann",), ("bob",), ("cid",)]


def test_a_statement_describes_its_columns():
    assert [one["name"] for one in select(User, Address.email.label("mail")).column_descriptions] == ["User", "mail"]
    assert select(User.id, User.name).selected_columns.keys() == ["id", "name"]


def test_tables_and_entities_may_be_mixed(session):
    users = User.__table__
    row = session.execute(select(Address, users.c.name).join(users).where(users.c.name == "bob")).one()
    assert (row.Address.email, row.name) == ("bob@a", "bob")


def test_distinct_on_is_of_postgresql_and_plain_elsewhere():
    def text(dialect):
        return str(select(User.id, User.name).distinct(User.name).compile(dialect=dialect)).split(" \n")[0]

    assert text(postgresql.dialect()).startswith("SELECT DISTINCT ON (")
    for other in (sqlite, mysql):
        assert text(other.dialect()).startswith("SELECT DISTINCT ") and " ON " not in text(other.dialect())
