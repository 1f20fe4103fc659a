"""Rows, which are tuples with names, and results, which are streams of rows."""

import copy
import pickle

import pytest
from cormorant import Result, Row, exc, func, literal, select, text
from cormorant.exc import MultipleResultsFound, NoResultFound, ResourceClosedError
from people import Address, User
from support import words


@pytest.fixture
def connection(engine):
    with engine.connect() as connection:
        yield connection


THREE = text("SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'y' UNION ALL SELECT 3, 'z'")


def test_a_row_is_read_by_name_by_index_and_by_unpacking(connection):
    row = connection.execute(text("SELECT 1 AS a, 'x' AS b, NULL AS c")).one()
    assert isinstance(row, Row)
    assert (row.a, row.b, row.c) == (1, "x", None)
    assert (row[0], row[-1], row[0:2]) == (1, None, (1, "x"))
    a, b, c = row
    assert (a, b, c) == (1, "x", None)
    assert len(row) == 3 and "x" in row and list(row) == [1, "x", None]
    assert row._fields == ("a", "b", "c")
    assert row._asdict() == {"a": 1, "b": "x", "c": None} == dict(row._mapping)


def test_a_row_compares_sorts_and_hashes_as_a_tuple(connection):
    rows = connection.execute(THREE).all()
    assert rows[0] == (1, "x") and (1, "x") == rows[0] and rows[0] != rows[1]
    assert rows == [(1, "x"), (2, "y"), (3, "z")]
    assert rows[0] < rows[1] and sorted(rows, reverse=True)[0].a == 3
    assert hash(rows[0]) == hash((1, "x")) and {(1, "x"): True}[rows[0]]
    assert repr(rows[0]) == "(1, 'x')" == str(rows[0])
    assert rows[0].count(1) == 1 and rows[0].index("x") == 1


def test_a_rows_mapping_is_read_by_name_and_by_column(session):
    row = session.execute(select(User.name, User.age.label("years")).where(User.id == 1)).one()
    mapping = row._mapping
    assert mapping["name"] == "ann" and mapping[User.name] == "ann" and mapping["years"] == 30
    assert list(mapping) == ["name", "years"] and list(mapping.values()) == ["ann", 30]
    assert "name" in mapping and "nothing" not in mapping and len(mapping) == 2
    assert dict(mapping.items()) == {"name": "ann", "years": 30}
    with pytest.raises(KeyError):
        mapping["nothing"]


def test_a_row_cannot_be_changed(connection):
    row = connection.execute(THREE).first()
    with pytest.raises(AttributeError):
        row.a = 5
    with pytest.raises(TypeError):
        row[0] = 5
    with pytest.raises(AttributeError, match="nothing"):
        row.nothing
    with pytest.raises(IndexError):
        row[2]


def test_a_row_can_be_pickled_and_copied(connection):
    row = connection.execute(THREE).first()
    for again in (pickle.loads(pickle.dumps(row)), copy.copy(row)):
        assert again == row and again.b == "x" and again._fields == row._fields


def test_a_column_named_like_a_method_is_still_read_by_name_in_the_mapping(connection):
    row = connection.execute(text("SELECT 1 AS count, 2 AS keys, 3 AS _asdict")).one()
    assert tuple(row) == (1, 2, 3)
    assert row._mapping["count"] == 1 and row._mapping["keys"] == 2 and row._mapping["_asdict"] == 3


def test_all_and_iteration_give_every_row_once(connection):
    assert connection.execute(THREE).all() == [(1, "x"), (2, "y"), (3, "z")]
    assert connection.execute(THREE).fetchall() == [(1, "x"), (2, "y"), (3, "z")]
    result = connection.execute(THREE)
    assert [row.a for row in result] == [1, 2, 3]
    assert result.all() == []


def test_rows_can_be_taken_in_portions(connection):
    result = connection.execute(THREE)
    assert result.fetchone() == (1, "x")
    assert result.fetchmany(1) == [(2, "y")]
    assert result.fetchmany(5) == [(3, "z")]
    assert result.fetchmany(5) == []
    assert result.fetchone() is None
    assert [[row.a for row in portion] for portion in connection.execute(THREE).partitions(2)] == [[1, 2], [3]]


def test_first_takes_one_row_and_closes(connection):
    result = connection.execute(THREE)
    assert result.first() == (1, "x")
    with pytest.raises(ResourceClosedError, match="This result object is closed"):
        result.all()
    assert connection.execute(text("SELECT 1 WHERE 1 = 0")).first() is None


def test_one_and_one_or_none_insist(connection):
    none, one, many = text("SELECT 1 WHERE 1 = 0"), text("SELECT 1"), THREE
    assert connection.execute(one).one() == (1,)
    assert connection.execute(one).one_or_none() == (1,)
    assert connection.execute(none).one_or_none() is None
    with pytest.raises(NoResultFound, match="No row was found when one was required"):
        connection.execute(none).one()
    with pytest.raises(MultipleResultsFound, match="Multiple rows were found when exactly one was required"):
        connection.execute(many).one()
    with pytest.raises(MultipleResultsFound, match="Multiple rows were found when one or none was required"):
        connection.execute(many).one_or_none()


def test_scalar_forms(connection):
    assert connection.execute(THREE).scalar() == 1
    assert connection.scalar(THREE) == 1
    assert connection.execute(text("SELECT 5")).scalar_one() == 5
    assert connection.execute(text("SELECT 5 WHERE 1 = 0")).scalar_one_or_none() is None
    assert connection.execute(text("SELECT 5 WHERE 1 = 0")).scalar() is None
    with pytest.raises(MultipleResultsFound):
        connection.execute(THREE).scalar_one()
    with pytest.raises(NoResultFound):
        connection.execute(text("SELECT 5 WHERE 1 = 0")).scalar_one()


def test_scalars_are_a_stream_of_one_column(connection):
    assert connection.execute(THREE).scalars().all() == [1, 2, 3]
    assert connection.scalars(THREE).all() == [1, 2, 3]
    assert connection.execute(THREE).scalars(1).all() == ["x", "y", "z"]
    assert connection.execute(THREE).scalars("b").all() == ["x", "y", "z"]
    scalars = connection.execute(THREE).scalars()
    assert scalars.fetchmany(2) == [1, 2] and list(scalars) == [3]
    assert connection.scalars(THREE).first() == 1
    with pytest.raises(MultipleResultsFound):
        connection.scalars(THREE).one()
    assert [list(part) for part in connection.scalars(THREE).partitions(2)] == [[1, 2], [3]]


def test_mappings_are_a_stream_of_dictionaries(connection):
    rows = connection.execute(THREE).mappings().all()
    assert [dict(row) for row in rows] == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}]
    assert connection.execute(THREE).mappings().first()["b"] == "x"
    assert [row["a"] for row in connection.execute(THREE).mappings()] == [1, 2, 3]
    assert connection.execute(text("SELECT 1 AS a")).mappings().one() == {"a": 1}


def test_columns_choose_and_order(connection):
    assert connection.execute(THREE).columns("b").all() == [("x",), ("y",), ("z",)]
    assert connection.execute(THREE).columns(1, 0).all() == [("x", 1), ("y", 2), ("z", 3)]


def test_unique_drops_what_was_seen(connection):
    twice = text("SELECT 1 AS a UNION ALL SELECT 1 UNION ALL SELECT 2")
    assert connection.execute(twice).unique().all() == [(1,), (2,)]
    assert connection.execute(twice).scalars().unique().all() == [1, 2]
    assert connection.execute(twice).unique(lambda row: 0).all() == [(1,)]


def test_keys_name_the_columns(connection):
    result = connection.execute(THREE)
    assert list(result.keys()) == ["a", "b"]
    assert isinstance(result, Result)
    result.close()


def test_a_result_may_be_left_early(connection):
    for row in connection.execute(THREE):
        assert row.a == 1
        break
    with connection.execute(THREE) as result:
        assert result.fetchone().a == 1
    assert result.closed
    assert connection.scalar(text("SELECT 7")) == 7


def test_a_statement_without_rows_has_none_to_give(connection):
    result = connection.execute(text("CREATE TABLE x (a INTEGER)"))
    assert result.returns_rows is False
    with pytest.raises(ResourceClosedError, match="This result object does not return rows"):
        result.all()
    assert connection.execute(text("INSERT INTO x VALUES (1)")).rowcount == 1


def test_columns_of_the_same_name_are_kept_apart(session):
    row = session.execute(select(User.id, Address.id).join(User.addresses).where(Address.id == 3)).one()
    assert tuple(row) == (2, 3)
    assert row._mapping[User.id] == 2 and row._mapping[Address.id] == 3


def test_unnamed_expressions_have_names_of_their_own(session):
    row = session.execute(select(func.count(User.id), func.max(User.age), literal(5))).one()
    assert tuple(row) == (4, 30, 5)
    assert row._mapping["count"] == 4 and row.max == 30
    row = session.connection().execute(select(func.count(User.id), func.max(User.age), literal(5))).one()
    assert row._fields == ("count_1", "max_1", "anon_1")


def test_the_parameters_of_text_are_bound(connection):
    assert connection.scalar(text("SELECT :a + :b"), {"a": 1, "b": 2}) == 3
    assert connection.scalar(text("SELECT '\\:a' || :a"), {"a": "x"}) == ":ax"
    with pytest.raises(exc.StatementError, match="A value is required for bind parameter 'b'"):
        connection.execute(text("SELECT :a + :b"), {"a": 1})


def test_text_can_be_given_types(connection):
    import datetime

    from cormorant import Date

    day = text(
        words(
            sqlite="SELECT '2024-01-02' AS day",
            postgresql="SELECT DATE '2024-01-02' AS day",
            mariadb="SELECT DATE '2024-01-02' AS day",
        )
    ).columns(day=Date)
    assert connection.execute(day).one().day == datetime.date(2024, 1, 2)


def test_a_plain_string_is_not_a_statement(connection):
    with pytest.raises(exc.ObjectNotExecutableError, match="Not an executable object: 'SELECT 1'"):
        connection.execute("SELECT 1")
    mark = words(sqlite="?", postgresql="$1", mariadb="?")
    assert connection.exec_driver_sql(f"SELECT {mark}", (5,)).scalar() == 5


def test_rows_outlive_their_connection(engine):
    with engine.connect() as connection:
        rows = connection.execute(THREE).all()
    assert [row.b for row in rows] == ["x", "y", "z"]
