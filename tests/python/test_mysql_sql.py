"""The SQL of MySQL and MariaDB as text: no server is asked."""

import pytest
from cormorant import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    case,
    cast,
    exc,
    extract,
    false,
    func,
    intersect,
    literal,
    literal_column,
    null,
    select,
    text,
    true,
    tuple_,
    union,
)
from cormorant.dialects import mysql
from cormorant.schema import CreateIndex, CreateTable, DropIndex, DropTable
from support import flat, ours_only

metadata = MetaData()
t = Table(
    "t", metadata, Column("id", Integer, primary_key=True), Column("name", String(50), index=True),
    Column("n", Integer), Column("b", Boolean), Column("d", DateTime), Column("x", Float),
    Column("select", Text), Column("Mixed", LargeBinary),
)  # fmt: skip
u = Table("u", metadata, Column("id", Integer, primary_key=True), Column("t_id", ForeignKey("t.id")),
          Column("v", Integer))  # fmt: skip


def sql(element):
    return flat(element.compile(dialect=mysql.dialect()))


STATEMENTS = [
    (lambda: select(t.c.id).limit(5), "SELECT t.id FROM t LIMIT %s"),
    (lambda: select(t.c.id).offset(3), "SELECT t.id FROM t LIMIT %s, 18446744073709551615"),
    (lambda: select(t.c.id).limit(5).offset(3), "SELECT t.id FROM t LIMIT %s, %s"),
    (lambda: select(t.c.select, t.c.Mixed), "SELECT t.`select`, t.`Mixed` FROM t"),
    (lambda: select(t.alias("a`b").c.id), "SELECT `a``b`.id FROM t AS `a``b`"),
    (lambda: select(t.c.name + "x" + t.c.name), "SELECT concat(t.name, %s, t.name) AS anon_1 FROM t"),
    (lambda: select(t.c.id).where(t.c.name + "x" == "y"), "SELECT t.id FROM t WHERE (concat(t.name, %s)) = %s"),
    (lambda: t.c.name.contains("a"), "t.name LIKE concat('%%', %s, '%%')"),
    (lambda: t.c.name.startswith("a", autoescape=True), "t.name LIKE concat(%s, '%%') ESCAPE '/'"),
    (lambda: t.c.name.icontains("a"), "lower(t.name) LIKE concat('%%', lower(%s), '%%')"),
    (lambda: t.c.name.ilike("a"), "lower(t.name) LIKE lower(%s)"),
    (lambda: t.c.name.like("a", escape="\\"), "t.name LIKE %s ESCAPE '\\\\'"),
    (lambda: t.c.n.is_distinct_from(3), "NOT (t.n <=> %s)"),
    (lambda: t.c.n.is_not_distinct_from(null()), "t.n <=> NULL"),
    (lambda: t.c.name.regexp_match("a"), "t.name REGEXP %s"),
    (lambda: ~t.c.name.regexp_match("a"), "t.name NOT REGEXP %s"),
    (lambda: select(t.c.id).where(t.c.b), "SELECT t.id FROM t WHERE t.b = 1"),
    (lambda: select(t.c.id).where(~t.c.b), "SELECT t.id FROM t WHERE t.b = 0"),
    (lambda: select(t.c.id).where(false()), "SELECT t.id FROM t WHERE false = 1"),
    (lambda: select(true()), "SELECT true AS anon_1"),
    (lambda: t.c.n / 2, "t.n / %s"),
    (lambda: t.c.n // 2, "FLOOR(t.n / %s)"),
    (lambda: t.c.n % 2, "t.n %% %s"),
    (lambda: cast(t.c.n, BigInteger), "CAST(t.n AS SIGNED INTEGER)"),
    (lambda: cast(t.c.n, String), "CAST(t.n AS CHAR)"),
    (lambda: cast(t.c.n, String(5)), "CAST(t.n AS CHAR(5))"),
    (lambda: cast(t.c.n, Numeric(10, 2)), "CAST(t.n AS DECIMAL(10, 2))"),
    (lambda: cast(t.c.n, Date), "CAST(t.n AS DATE)"),
    (lambda: cast(t.c.n, LargeBinary), "CAST(t.n AS BINARY)"),
    (lambda: extract("year", t.c.d), "EXTRACT(year FROM t.d)"),
    (lambda: func.random(), "rand()"),
    (lambda: func.now(), "now()"),
    (lambda: select(t.c.id).with_for_update(), "SELECT t.id FROM t FOR UPDATE"),
    (lambda: select(t.c.id).with_for_update(read=True), "SELECT t.id FROM t LOCK IN SHARE MODE"),
    (lambda: select(t.c.id).with_for_update(nowait=True), "SELECT t.id FROM t FOR UPDATE NOWAIT"),
    (lambda: select(t.c.id).with_for_update(skip_locked=True), "SELECT t.id FROM t FOR UPDATE SKIP LOCKED"),
    (lambda: u.insert().values({}), "INSERT INTO u () VALUES ()"),
    (lambda: t.insert().values([{"n": 1}, {"n": 2}]), "INSERT INTO t (n) VALUES (%s), (%s)"),
    (lambda: t.insert().values(n=1).returning(t.c.id), "INSERT INTO t (n) VALUES (%s) RETURNING t.id"),
    (lambda: t.delete().returning(t.c.id), "DELETE FROM t RETURNING t.id"),
    (lambda: t.update().values(n=u.c.v).where(t.c.id == u.c.t_id), "UPDATE t, u SET t.n=u.v WHERE t.id = u.t_id"),
    (lambda: t.update().values(n=1).where(t.c.id == 1), "UPDATE t SET n=%s WHERE t.id = %s"),
    (lambda: t.delete().where(t.c.id == u.c.t_id), "DELETE FROM t USING t, u WHERE t.id = u.t_id"),
    (lambda: t.insert().from_select(["n"], select(select(u.c.v).cte("z"))),
     "INSERT INTO t (n) WITH z AS (SELECT u.v AS v FROM u) SELECT z.v FROM z"),
    (lambda: tuple_(t.c.n, t.c.id).in_([(1, 2)]), "(t.n, t.id) IN (__[POSTCOMPILE_param_1])"),
    (lambda: union(select(t.c.id).limit(1), select(u.c.id)), "(SELECT t.id FROM t LIMIT %s) UNION SELECT u.id FROM u"),
    (lambda: intersect(select(t.c.id), select(u.c.id)), "SELECT t.id FROM t INTERSECT SELECT u.id FROM u"),
    (lambda: case((t.c.n > 1, "a"), else_="b"), "CASE WHEN (t.n > %s) THEN %s ELSE %s END"),
    (lambda: select(literal_column("'%'")), "SELECT '%%'"),
    (lambda: text("SELECT '%', :x"), "SELECT '%%', %s"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "expected"), STATEMENTS, ids=[expected for _, expected in STATEMENTS])
def test_a_construct_is_spelled_in_the_databases_words(make, expected):
    assert sql(make()) == expected


@ours_only
def test_orders_of_nulls_are_orders_of_their_own():
    assert sql(select(t.c.id).order_by(t.c.n.nulls_first())).endswith("ORDER BY t.n")
    assert sql(select(t.c.id).order_by(t.c.n.nulls_last())).endswith("ORDER BY t.n IS NULL, t.n")
    assert sql(select(t.c.id).order_by(t.c.n.desc().nulls_first())).endswith("ORDER BY t.n IS NULL DESC, t.n DESC")
    assert sql(select(t.c.id).order_by(t.c.n.desc().nulls_last())).endswith("ORDER BY t.n DESC")


@pytest.mark.parametrize(("value", "expected"), [("a'b\\c", "'a''b\\\\c'"), (5, "5"), (1.5, "1.5"), (True, "true"),
                                                 (None, "NULL")])  # fmt: skip
def test_a_literal_cannot_end_early(value, expected):
    rendered = select(literal(value)).compile(dialect=mysql.dialect(), compile_kwargs={"literal_binds": True})
    assert str(rendered) == f"SELECT {expected} AS anon_1"


def test_create_table_says_what_the_declaration_says():
    parts = Table(
        "parts", MetaData(),
        Column("kind", Integer, primary_key=True, autoincrement=False),
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("name", String(50), nullable=False, server_default="it's"),
        Column("n", Integer, comment="how many"),
        Column("b", Boolean, server_default=text("1")),
        Column("made", DateTime, server_default=func.now()),
        Column("twice", Integer, Computed("n * 2")),
        Column("data", LargeBinary),
        CheckConstraint("n > 0", name="positive"),
        UniqueConstraint("n", name="once"),
        comment="parts of it",
    )  # fmt: skip
    assert sql(CreateTable(parts)) == flat("""
        CREATE TABLE parts ( kind INTEGER NOT NULL, id INTEGER NOT NULL AUTO_INCREMENT,
        name VARCHAR(50) NOT NULL DEFAULT 'it''s', n INTEGER COMMENT 'how many', b BOOL DEFAULT 1,
        made DATETIME DEFAULT (now()), twice INTEGER GENERATED ALWAYS AS (n * 2), data BLOB,
        PRIMARY KEY (id, kind), CONSTRAINT positive CHECK (n > 0), CONSTRAINT once UNIQUE (n)
        )COMMENT='parts of it'
    """)
    assert sql(DropTable(parts)) == "DROP TABLE parts"


def test_indexes_are_dropped_from_their_table():
    index = next(iter(t.indexes))
    assert sql(CreateIndex(index)) == "CREATE INDEX ix_t_name ON t (name)"
    assert sql(DropIndex(index)) == "DROP INDEX ix_t_name ON t"


def test_a_text_without_a_length_has_no_type():
    words = Table("words", MetaData(), Column("id", Integer, primary_key=True), Column("word", String))
    with pytest.raises(exc.CompileError, match="VARCHAR requires a length on dialect mysql"):
        sql(CreateTable(words))


def upsert_of(**values):
    from cormorant.dialects.mysql import insert as mysql_insert

    table = Table(
        "t",
        MetaData(),
        Column("id", Integer, primary_key=True),
        Column("data", String(10)),
        Column("n", Integer),
        Column("x y", String(5), key="xy"),
    )
    return table, mysql_insert(table).values(**values)


def written(statement):
    return " ".join(str(statement.compile(dialect=mysql.dialect())).split())


def test_on_duplicate_key_update_is_written():
    table, new = upsert_of(id=1, data="a")
    start = "INSERT INTO t (id, data) VALUES (%s, %s) ON DUPLICATE KEY UPDATE "
    for update, text_of_it in [
        ({"data": new.inserted.data}, "data = VALUES(data)"),
        ({"n": table.c.n + 1, "data": new.inserted.data}, "data = VALUES(data), n = (t.n + %s)"),
        ([("n", 3), ("data", new.inserted.data)], "n = %s, data = VALUES(data)"),
        ({table.c.n: 3, "xy": new.inserted.xy}, "n = %s, `x y` = VALUES(`x y`)"),
        ({"n": func.coalesce(new.inserted.n, 5) + table.c.n}, "n = (coalesce(VALUES(n), %s) + t.n)"),
        ({"n": null()}, "n = NULL"),
    ]:
        assert written(new.on_duplicate_key_update(update)) == start + text_of_it
    assert written(new.on_duplicate_key_update(n=3, data="b")) == start + "data = %s, n = %s"


def test_on_duplicate_key_update_refuses_what_makes_no_sense():
    _, new = upsert_of(id=1, data="a")
    with pytest.raises(ValueError, match="must not be empty"):
        new.on_duplicate_key_update()
    with pytest.raises(ValueError, match="must be a non-empty dictionary"):
        new.on_duplicate_key_update(5)
    with pytest.raises(exc.ArgumentError, match="simultaneously"):
        new.on_duplicate_key_update({"n": 1}, data="b")
    with pytest.raises(exc.InvalidRequestError, match="already has an ON DUPLICATE KEY clause"):
        new.on_duplicate_key_update(n=1).on_duplicate_key_update(n=2)


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_other_databases_do_not_write_on_duplicate_key_update(name):
    import importlib

    _, new = upsert_of(id=1, data="a")
    dialect = importlib.import_module(f"cormorant.dialects.{name}").dialect()
    with pytest.raises(exc.UnsupportedCompilationError):
        new.on_duplicate_key_update(n=1).compile(dialect=dialect)
