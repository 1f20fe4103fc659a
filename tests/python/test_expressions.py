"""Expressions: what each one says in SQL, and what SQLite answers."""

import decimal

import pytest
from cormorant import (
    Boolean,
    Column,
    Date,
    Float,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    and_,
    asc,
    between,
    bindparam,
    case,
    cast,
    collate,
    column,
    desc,
    distinct,
    exc,
    exists,
    extract,
    false,
    func,
    insert,
    literal,
    literal_column,
    not_,
    null,
    nulls_first,
    nulls_last,
    or_,
    select,
    text,
    true,
    tuple_,
    type_coerce,
)
from support import flat, statements_of

metadata = MetaData()
t = Table(
    "t",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("a", Integer),
    Column("b", Integer),
    Column("name", String(50)),
    Column("flag", Boolean),
    Column("price", Numeric(10, 2)),
    Column("ratio", Float),
    Column("day", Date),
)
a, b, name, flag = t.c.a, t.c.b, t.c.name, t.c.flag

SQL = [
    (a == 5, "t.a = :a_1"),
    (a != 5, "t.a != :a_1"),
    (a < 5, "t.a < :a_1"),
    (a <= 5, "t.a <= :a_1"),
    (a > 5, "t.a > :a_1"),
    (a >= 5, "t.a >= :a_1"),
    (5 < a, "t.a > :a_1"),
    (a == b, "t.a = t.b"),
    (a == None, "t.a IS NULL"),  # noqa: E711
    (a != None, "t.a IS NOT NULL"),  # noqa: E711
    (a.is_(None), "t.a IS NULL"),
    (a.is_not(None), "t.a IS NOT NULL"),
    (a.isnot(None), "t.a IS NOT NULL"),
    (a.is_(b), "t.a IS t.b"),
    (a == null(), "t.a IS NULL"),
    (and_(a == 1, b == 2), "t.a = :a_1 AND t.b = :b_1"),
    (or_(a == 1, b == 2), "t.a = :a_1 OR t.b = :b_1"),
    (or_(a == 1, and_(b == 2, a == 3)), "t.a = :a_1 OR t.b = :b_1 AND t.a = :a_2"),
    (and_(a == 1, or_(b == 2, a == 3)), "t.a = :a_1 AND (t.b = :b_1 OR t.a = :a_2)"),
    ((a == 1) & (b == 2) | (a == 3), "t.a = :a_1 AND t.b = :b_1 OR t.a = :a_2"),
    ((a == 1) & ((b == 2) | (a == 3)), "t.a = :a_1 AND (t.b = :b_1 OR t.a = :a_2)"),
    (~(a == 1), "t.a != :a_1"),
    (not_(a == 1), "t.a != :a_1"),
    (not_(a > 1), "t.a <= :a_1"),
    (not_(and_(a == 1, b == 2)), "NOT (t.a = :a_1 AND t.b = :b_1)"),
    (and_(a == 1), "t.a = :a_1"),
    (and_(True, a == 1), "t.a = :a_1"),
    (or_(False, a == 1), "t.a = :a_1"),
    (a.in_([1, 2]), "t.a IN (__[POSTCOMPILE_a_1])"),
    (a.not_in([1, 2]), "(t.a NOT IN (__[POSTCOMPILE_a_1]))"),
    (~a.in_([1, 2]), "(t.a NOT IN (__[POSTCOMPILE_a_1]))"),
    (name.like("x%"), "t.name LIKE :name_1"),
    (name.like("x/%", escape="/"), "t.name LIKE :name_1 ESCAPE '/'"),
    (name.not_like("x%"), "t.name NOT LIKE :name_1"),
    (name.ilike("x%"), "lower(t.name) LIKE lower(:name_1)"),
    (name.not_ilike("x%"), "lower(t.name) NOT LIKE lower(:name_1)"),
    (name.startswith("x"), "t.name LIKE :name_1 || '%'"),
    (name.endswith("x"), "t.name LIKE '%' || :name_1"),
    (name.contains("x"), "t.name LIKE '%' || :name_1 || '%'"),
    (name.contains("x", autoescape=True), "t.name LIKE '%' || :name_1 || '%' ESCAPE '/'"),
    (name.startswith("x", escape="^"), "t.name LIKE :name_1 || '%' ESCAPE '^'"),
    (~name.contains("x"), "t.name NOT LIKE '%' || :name_1 || '%'"),
    (a.between(1, 5), "t.a BETWEEN :a_1 AND :a_2"),
    (between(a, 1, 5), "t.a BETWEEN :a_1 AND :a_2"),
    (~a.between(1, 5), "t.a NOT BETWEEN :a_1 AND :a_2"),
    (a + 1, "t.a + :a_1"),
    (1 + a, ":a_1 + t.a"),
    (a - b, "t.a - t.b"),
    (a * b + 1, "t.a * t.b + :param_1"),
    (a * (b + 1), "t.a * (t.b + :b_1)"),
    (a - (b - 1), "t.a - (t.b - :b_1)"),
    (a % 3, "t.a % :a_1"),
    (-a, "-t.a"),
    (-(a + b), "-(t.a + t.b)"),
    (name + "x", "t.name || :name_1"),
    ("x" + name, ":name_1 || t.name"),
    (name.concat("x"), "t.name || :name_1"),
    (a.op("->>")("x"), "t.a ->> :a_1"),
    (a.bitwise_and(1), "t.a & :a_1"),
    (a.desc(), "t.a DESC"),
    (a.asc(), "t.a ASC"),
    (desc(a), "t.a DESC"),
    (asc(a), "t.a ASC"),
    (a.desc().nulls_last(), "t.a DESC NULLS LAST"),
    (nulls_first(a), "t.a NULLS FIRST"),
    (nulls_last(a.desc()), "t.a DESC NULLS LAST"),
    (a.label("x"), "t.a"),
    (func.count(), "count(*)"),
    (func.count(a), "count(t.a)"),
    (func.count(distinct(a)), "count(DISTINCT t.a)"),
    (func.count(a.distinct()), "count(DISTINCT t.a)"),
    (func.Anything_At_All(a, 1), "Anything_At_All(t.a, :Anything_At_All_1)"),
    (func.now(), "now()"),
    (func.coalesce(a, b, 0), "coalesce(t.a, t.b, :coalesce_1)"),
    (func.lower(name) == "x", "lower(t.name) = :lower_1"),
    (func.json.extract(name), "json.extract(t.name)"),
    (func.sum(a).filter(b > 1), "sum(t.a) FILTER (WHERE t.b > :b_1)"),
    (func.row_number().over(partition_by=a, order_by=b), "row_number() OVER (PARTITION BY t.a ORDER BY t.b)"),
    (
        case((a == 1, "one"), (a == 2, "two"), else_="many"),
        "CASE WHEN (t.a = :a_1) THEN :param_1 WHEN (t.a = :a_2) THEN :param_2 ELSE :param_3 END",
    ),
    (case({1: "one", 2: "two"}, value=a), "CASE t.a WHEN :param_1 THEN :param_2 WHEN :param_3 THEN :param_4 END"),
    (cast(a, String), "CAST(t.a AS VARCHAR)"),
    (cast("5", Integer), "CAST(:param_1 AS INTEGER)"),
    (a.cast(Float), "CAST(t.a AS FLOAT)"),
    (type_coerce(a, String), "t.a"),
    (literal(5), ":param_1"),
    (literal_column("1 + 1"), "1 + 1"),
    (null(), "NULL"),
    (true(), "true"),
    (false(), "false"),
    (flag.is_(True), "t.flag IS true"),
    (flag, "t.flag"),
    (~flag, "NOT t.flag"),
    (and_(flag, a == 1), "t.flag AND t.a = :a_1"),
    (text("x > :y"), "x > :y"),
    (text(r"x\:y"), "x:y"),
    (text("a::text"), "a::text"),
    (tuple_(a, b) == (1, 2), "(t.a, t.b) = (:param_1, :param_2)"),
    (exists().where(t.c.id == 1), "EXISTS (SELECT * FROM t WHERE t.id = :id_1)"),
    (~exists(select(a)), "NOT (EXISTS (SELECT t.a FROM t))"),
    (a == select(func.max(b)).scalar_subquery(), "t.a = (SELECT max(t.b) AS max_1 FROM t)"),
    (a.in_(select(b)), "t.a IN (SELECT t.b FROM t)"),
    (bindparam("x", 5) + a, ":x + t.a"),
    (column("z") == 1, "z = :z_1"),
    (collate(name, "NOCASE"), 't.name COLLATE "NOCASE"'),
    (extract("year", t.c.day), "EXTRACT(year FROM t.day)"),
    (name.regexp_match("x"), "t.name <regexp> :name_1"),
    (name.is_distinct_from("x"), "t.name IS DISTINCT FROM :name_1"),
]


@pytest.mark.parametrize("expression, sql", SQL, ids=[sql for _, sql in SQL])
def test_an_expression_reads_as_sql(expression, sql):
    assert flat(expression) == sql


@pytest.fixture
def connection(engine):
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            insert(t),
            [
                {"id": 1, "a": 1, "b": 10, "name": "apple", "flag": True, "price": 1.5},
                {"id": 2, "a": 2, "b": 20, "name": "50% off_now/", "flag": False, "price": 2.25},
                {"id": 3, "a": 3, "b": None, "name": "APPLE pie", "flag": None, "price": None},
                {"id": 4, "a": None, "b": 40, "name": None, "flag": True, "price": 4},
            ],
        )
        yield connection


FOUND = [
    (a == 2, [2]),
    (a != 2, [1, 3]),
    (a > 1, [2, 3]),
    (b.is_(None), [3]),
    (b.is_not(None), [1, 2, 4]),
    (and_(a >= 1, b <= 20), [1, 2]),
    (or_(a == 1, b == 40), [1, 4]),
    (~or_(a == 1, b == 20), []),
    (~or_(a == 1, a == 2), [3]),
    (a.in_([1, 3, 99]), [1, 3]),
    (a.in_([]), []),
    (a.not_in([]), [1, 2, 3, 4]),
    (a.not_in([1]), [2, 3]),
    (a.in_(range(2, 100)), [2, 3]),
    (a.in_({1}), [1]),
    (a.in_([1, None]), [1]),
    (a.in_(select(b / 10).where(b < 30)), [1, 2]),
    (name.like("apple%"), [1, 3]),
    (name.ilike("APPLE"), [1]),
    (name.startswith("apple"), [1, 3]),
    (name.endswith("pie"), [3]),
    (name.contains("%"), [1, 2, 3]),
    (name.contains("%", autoescape=True), [2]),
    (name.contains("_", autoescape=True), [2]),
    (name.endswith("/", autoescape=True), [2]),
    (name.contains("f_n", autoescape=True), [2]),
    (name.startswith("50%", autoescape=True), [2]),
    (a.between(2, 3), [2, 3]),
    (~a.between(2, 3), [1]),
    (a + b == 22, [2]),
    (a * 10 - b == 0, [1, 2]),
    (a % 2 == 1, [1, 3]),
    (name + "!" == "apple!", [1]),
    (func.length(name) > 8, [2, 3]),
    (case((a == 1, 7), else_=8) == 7, [1]),
    (cast(a, String) == "2", [2]),
    (flag, [1, 4]),
    (~flag, [2]),
    (flag.is_(True), [1, 4]),
    (flag == False, [2]),  # noqa: E712
    (text("t.a = 3"), [3]),
    (text("t.a = :x").bindparams(x=3), [3]),
    (tuple_(a, b).in_([(1, 10), (2, 99)]), [1]),
    (exists().where(t.c.a > 2), [1, 2, 3, 4]),
    (a == select(func.max(t.alias().c.a)).scalar_subquery(), [3]),
    (true(), [1, 2, 3, 4]),
    (false(), []),
    (t.c.price > 2, [2, 4]),
    (name.collate("NOCASE") == "aPPle", [1]),
]


@pytest.mark.parametrize("condition, ids", FOUND, ids=[flat(condition) for condition, _ in FOUND])
def test_a_condition_finds_its_rows(connection, condition, ids):
    assert connection.scalars(select(t.c.id).where(condition).order_by(t.c.id)).all() == ids


VALUES = [
    (literal(7) / 2, 3.5),
    (literal(7) // 2, 3),
    (literal(7) % 4, 3),
    (literal("a") + literal("b"), "ab"),
    (func.coalesce(null(), 5), 5),
    (func.lower("ABC"), "abc"),
    (func.max(2, 3), 3),
    (cast("12", Integer) + 1, 13),
    (case((literal(1) == 1, "yes"), else_="no"), "yes"),
    (literal(None), None),
    (extract("year", literal("2024-05-06")), 2024),
    (-literal(5), -5),
    (literal(True), True),
    (literal(2**40) * 2**20, 2**60),
]


@pytest.mark.parametrize("expression, value", VALUES, ids=[flat(expression) for expression, _ in VALUES])
def test_an_expression_has_its_value(engine, expression, value):
    with engine.connect() as connection:
        assert connection.scalar(select(expression)) == value


def test_one_condition_serves_lists_of_any_length(connection):
    for length in (0, 1, 2, 3, 1000, 20_000):
        condition = a.in_(list(range(1, length + 1)))
        assert connection.scalar(select(func.count()).where(condition).select_from(t)) == min(length, 3)


def test_a_bound_list_expands_when_it_is_executed(connection):
    statement = select(t.c.id).where(a.in_(bindparam("wanted", expanding=True))).order_by(t.c.id)
    assert connection.scalars(statement, {"wanted": [1, 2]}).all() == [1, 2]
    assert connection.scalars(statement, {"wanted": [3]}).all() == [3]
    assert connection.scalars(statement, {"wanted": []}).all() == []


def test_bound_names_take_their_values_at_execution(connection):
    statement = select(t.c.id).where(a == bindparam("x"), b == bindparam("y", 10))
    assert connection.scalars(statement, {"x": 1}).all() == [1]
    assert connection.scalars(statement, {"x": 2, "y": 20}).all() == [2]
    with pytest.raises(exc.StatementError, match="A value is required for bind parameter 'x'"):
        connection.scalars(statement)


def test_values_are_bound_and_never_become_text(connection, engine):
    nasty = "'; DROP TABLE t; --"
    with statements_of(engine) as sent:
        assert connection.scalars(select(t.c.id).where(name == nasty)).all() == []
    assert nasty not in sent[0].text and nasty in tuple(sent[0].parameters)


def test_asked_for_literals_are_rendered_and_quoted(engine):
    compiled = (name == "it's").compile(engine, compile_kwargs={"literal_binds": True})
    assert flat(compiled) == "t.name = 'it''s'"
    assert flat(a.in_([1, 2]).compile(engine, compile_kwargs={"literal_binds": True})) == "t.a IN (1, 2)"


@pytest.mark.parametrize("digits", ["1.50", "100", "0.10", "-3.000", "1E+3"])
def test_an_exact_number_keeps_its_digits_as_a_literal(engine, digits):
    for dialect in (None, engine.dialect):
        compiled = literal(decimal.Decimal(digits)).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        assert str(compiled) == digits


def test_a_compiled_expression_shows_its_parameters():
    assert (a == 5).compile().params == {"a_1": 5}
    assert and_(a == 5, a == 6).compile().params == {"a_1": 5, "a_2": 6}


def test_an_expression_has_no_truth_of_its_own():
    with pytest.raises(TypeError, match="Boolean value of this clause is not defined"):
        bool(a > 5)
    with pytest.raises(TypeError, match="Boolean value of this clause is not defined"):
        a > 1 and b > 1  # noqa: B015
    assert bool(a == a) is True and bool(a == b) is False
    assert a in [b, a] and a not in [b]


def test_expressions_can_be_keys_and_members():
    assert {a: 1, b: 2}[b] == 2
    assert len({a, b, a}) == 2


def test_what_cannot_be_an_expression_is_refused():
    with pytest.raises(exc.ArgumentError, match="IN expression list, SELECT construct, or bound parameter object"):
        a.in_(5)
    with pytest.raises(exc.ArgumentError):
        select(t).where("a = 1")
    with pytest.raises(exc.ArgumentError):
        and_("a = 1")


def test_a_label_names_its_column(connection):
    row = connection.execute(select((a + b).label("total"), name.label("called")).where(t.c.id == 1)).one()
    assert row.total == 11 and row.called == "apple"
    total = (a + b).label("total")
    ordered = connection.scalars(select(total).where(total > 11).order_by(total.desc())).all()
    assert ordered == [22]
    assert "ORDER BY total DESC" in flat(select(total).order_by(total.desc()))


def test_nulls_go_where_they_are_told(connection):
    assert connection.scalars(select(a).order_by(a.asc().nulls_last())).all() == [1, 2, 3, None]
    assert connection.scalars(select(a).order_by(a.desc().nulls_first())).all() == [None, 3, 2, 1]
