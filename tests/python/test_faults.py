"""The disk and the locks fail underneath a session: each scenario runs with its 1st, 2nd, 3rd ... read, write, sync ...
failing, alone or with all that follow, until it comes through.

Each time the error is OperationalError, the file is whole and holds what was committed and all or nothing of the step
that failed, the objects are what they were before that step, and the same session and the next one work.
CORM_TEST_STRIDE=n tries every n-th operation only.
"""

import os
import pathlib
import sqlite3
import tempfile

import faulty
import pytest
from cormorant import (
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    create_engine,
    delete,
    event,
    exc,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from cormorant.orm import Session, declarative_base, joinedload, relationship, selectinload
from support import with_real_transactions

pytestmark = [
    pytest.mark.skipif(faulty.SHIM is None, reason="the file system that fails was not built: meson -Dtests"),
    pytest.mark.database("sqlite"),
]
STRIDE = max(1, int(os.environ.get("CORM_TEST_STRIDE", "1")))
INJECTED = []

Base = declarative_base()
wearing = Table(
    "wearing",
    Base.metadata,
    Column("book_id", ForeignKey("books.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class Author(Base):
    __tablename__ = "authors"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), nullable=False)
    age = Column(Integer)
    books = relationship("Book", back_populates="author", order_by="Book.id", cascade="all, delete-orphan")


class Book(Base):
    __tablename__ = "books"
    id = Column(Integer, primary_key=True)
    title = Column(String(2000), nullable=False)
    author_id = Column(ForeignKey("authors.id"), nullable=False)
    author = relationship("Author", back_populates="books")
    tags = relationship("Tag", secondary=wearing, back_populates="books", order_by="Tag.id")


class Tag(Base):
    __tablename__ = "tags"
    id = Column(Integer, primary_key=True)
    word = Column(String(20))
    books = relationship("Book", secondary=wearing, back_populates="tags", order_by="Book.id")


CLASSES = {Author: ("name", "age"), Book: ("title", "author_id"), Tag: ("word",)}
COLLECTIONS = {
    Author: ("books", "SELECT id FROM books WHERE author_id = ? ORDER BY id"),
    Book: ("tags", "SELECT tag_id FROM wearing WHERE book_id = ? ORDER BY tag_id"),
    Tag: ("books", "SELECT book_id FROM wearing WHERE tag_id = ? ORDER BY book_id"),
}


# ---- the steps of the scenarios: each is one transaction, or only reads ----


def add(session):
    new = Author(name="new", age=1, books=[Book(title="n1"), Book(title="n2")])
    new.books[0].tags.append(Tag(word="fresh"))
    session.add(new)
    session.commit()
    assert [book.author_id for book in new.books] == [new.id, new.id]


def change(session):
    ann, bob = session.get(Author, 1), session.get(Author, 2)
    ann.name, ann.age = "anne", None
    session.flush()
    moved = ann.books[0]
    bob.books.append(moved)
    moved.tags.pop()
    session.add(Book(title="more", author=bob))
    session.commit()
    assert ann.name == "anne" and len(bob.books) == 3


def remove(session):
    ann = session.get(Author, 1)
    ann.books.remove(ann.books[0])
    session.flush()
    session.delete(ann)
    session.delete(session.scalars(select(Tag).where(Tag.word == "old")).one())
    session.commit()


def add_too_much_for_the_cache(session):
    session.add(Author(name="writer", books=[Book(title=str(number) * 1500) for number in range(30)]))
    session.flush()
    session.commit()


def change_many(session):
    ann = session.get(Author, 1)
    session.execute(update(Author).where(Author.name == "ann").values(age=40))
    assert ann.age == 40
    session.execute(insert(Tag), [{"word": "a"}, {"word": "b"}])
    session.query(Book).filter(Book.title == "b1").update({"title": "b9"})
    session.execute(delete(wearing))
    session.commit()


def go_back_a_little(session):
    ann = session.get(Author, 1)
    ann.age = 50
    savepoint = session.begin_nested()
    ann.name = "lost"
    session.add(Author(name="lost as well"))
    session.flush()
    savepoint.rollback()
    assert ann.name == "ann"
    with session.begin_nested():
        session.add(Author(name="kept"))
    session.commit()


def go_back(session):
    ann = session.get(Author, 1)
    ann.name = "lost"
    session.delete(ann.books[1])
    session.flush()
    session.rollback()
    assert ann.name == "ann" and [book.title for book in ann.books] == ["a1", "a2"]


def read(session):
    authors = session.scalars(select(Author).options(selectinload(Author.books)).order_by(Author.id)).all()
    assert [len(author.books) for author in authors] == [2, 1]
    books = session.query(Book).options(joinedload(Book.author)).order_by(Book.id).all()
    assert [book.author.name for book in books] == ["ann", "ann", "bob"]
    assert [tag.word for book in books for tag in book.tags] == ["old", "odd", "odd"]
    session.expire_all()
    session.refresh(authors[0])
    assert authors[0].age == 20 and session.scalar(select(func.count(Tag.id))) == 2
    session.rollback()


def core(session):
    with session.get_bind().begin() as connection:
        connection.execute(insert(Tag.__table__), [{"word": "core"}, {"word": "more"}])
        connection.execute(text("UPDATE authors SET age = :age WHERE id = 1"), {"age": 7})
        assert connection.execute(select(Author.age).where(Author.id == 1)).scalar_one() == 7


SCENARIOS = {
    "add": [add],
    "change": [change],
    "remove": [remove],
    "add_too_much_for_the_cache": [add_too_much_for_the_cache],
    "change_many": [change_many],
    "go_back_a_little": [go_back_a_little],
    "go_back": [go_back],
    "read": [read],
    "core": [core],
    "add_and_change": [add, change],
    "core_and_remove": [core, remove],
}


# ---- the world, and what the file says about it ----


class World:
    """A database of two authors on the file system that fails, and a session that holds them."""

    def __init__(self, path, journal):
        path.unlink(missing_ok=True)
        for suffix in ("-journal", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        self.path = path
        with_plain(path, self.fill, journal)
        self.engine = with_real_transactions(create_engine(faulty.url_of(path)))
        event.listen(self.engine, "connect", small_cache)
        self.session = Session(self.engine)

    @staticmethod
    def fill(plain, journal):
        plain.execute(f"PRAGMA journal_mode = {journal}")
        plain.executescript(TABLES)

    def close(self):
        self.session.close()
        self.engine.dispose()

    def objects(self):
        """What the session holds of the authors, their books and tags, loaded."""
        return [one for kind in CLASSES for one in self.session.scalars(select(kind)) if one.__dict__]


TABLES = """
    CREATE TABLE authors (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL, age INTEGER);
    CREATE TABLE books (id INTEGER PRIMARY KEY, title VARCHAR(2000) NOT NULL,
                        author_id INTEGER NOT NULL REFERENCES authors (id));
    CREATE TABLE tags (id INTEGER PRIMARY KEY, word VARCHAR(20));
    CREATE TABLE wearing (book_id INTEGER NOT NULL REFERENCES books (id), tag_id INTEGER NOT NULL REFERENCES tags (id),
                          PRIMARY KEY (book_id, tag_id));
    INSERT INTO authors VALUES (1, 'ann', 20), (2, 'bob', NULL);
    INSERT INTO books VALUES (1, 'a1', 1), (2, 'a2', 1), (3, 'b1', 2);
    INSERT INTO tags VALUES (1, 'old'), (2, 'odd');
    INSERT INTO wearing VALUES (1, 1), (1, 2), (3, 2);
"""


def small_cache(connection, record):
    """So small that a flush has to write before the commit."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA cache_size = 4")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def with_plain(path, work, *arguments):
    """Do something to the file on the file system that works."""
    plain = sqlite3.connect(path, isolation_level=None)
    try:
        return work(plain, *arguments)
    finally:
        plain.close()


def contents(plain):
    tables = ("authors", "books", "tags", "wearing")
    return {table: plain.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables}


def check_file(plain):
    assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert plain.execute("PRAGMA foreign_key_check").fetchall() == []


def check_objects(plain, session, objects):
    """An object is in the session exactly when its row is in the file, and then has the row's values and relations."""
    for one in objects:
        kind = type(one)
        key = inspect(one).identity
        names = CLASSES[kind]
        row = key and plain.execute(
            f"SELECT {', '.join(names)} FROM {kind.__tablename__} WHERE id = ?", key
        ).fetchone()  # fmt: skip
        assert (one in session) == bool(row), one
        if row:
            assert tuple(getattr(one, name) for name in names) == row
            name, sql = COLLECTIONS[kind]
            assert [other.id for other in getattr(one, name)] == [number for (number,) in plain.execute(sql, key)]


def check_session(session):
    """It reads, writes and forgets what it wrote."""
    count = session.scalar(select(func.count(Tag.id)))
    session.add(Tag(word="after"))
    session.flush()
    assert len(session.scalars(select(Tag)).all()) == count + 1
    session.rollback()


def goes_back_while_nothing_works(session):
    """A session whose flush failed does nothing before it is rolled back; that ends it, or says that it cannot."""
    if not session.is_active:
        with pytest.raises(exc.InvalidRequestError):
            session.scalar(select(func.count(Tag.id)))
    try:
        session.rollback()
    except exc.OperationalError:
        pass
    assert session.is_active


# ---- one run ----


def expected_of(path, journal, steps):
    """What the file holds before the steps and after each of them."""
    world = World(path, journal)
    states = [with_plain(path, contents)]
    for step in steps:
        step(world.session)
        states.append(with_plain(path, contents))
    world.close()
    return states


def run(path, journal, steps, states, kind, nth, lasting):
    """True when an operation failed."""
    world = World(path, journal)
    session = world.session
    known = world.objects()
    session.rollback()
    event.listen(session, "after_attach", lambda session, one: known.append(one))
    done = 0
    error = None
    faulty.arm(kind, nth, lasting)
    try:
        for step in steps:
            step(session)
            done += 1
    except exc.OperationalError as failure:
        error = failure
    if error is not None:
        goes_back_while_nothing_works(session)
    failed = faulty.heal()
    assert failed or error is None, error
    session.rollback()
    session.rollback()
    found = with_plain(path, contents)
    assert found in (states[done : done + 2] if error is not None else states[-1:])
    with_plain(path, check_file)
    with_plain(path, check_objects, session, known)
    session.rollback()
    check_session(session)
    with Session(world.engine) as following:
        check_session(following)
    world.close()
    return failed


def each_fault(path, journal, name, kinds):
    steps = SCENARIOS[name]
    states = expected_of(path, journal, steps)
    for kind in kinds:
        for lasting in (False, True):
            nth = 0
            while run(path, journal, steps, states, kind, nth, lasting):
                INJECTED.append(kind)
                nth += STRIDE


@pytest.fixture
def path(tmp_path):
    """A file in memory where the system offers that: what fails is chosen, so no disk is needed to wait for."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path / "faulty.db"
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield pathlib.Path(folder) / "faulty.db"


@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_fails_underneath_nothing_is_lost_or_half_done(name, path):
    each_fault(path, "delete", name, faulty.KINDS)


@pytest.mark.parametrize("name", ["add", "change", "remove", "add_too_much_for_the_cache"])
def test_a_write_ahead_log_loses_nothing_either(name, path):
    each_fault(path, "wal", name, ["read", "short read", "write", "short write", "disk full", "sync", "truncate"])


def test_a_lock_that_another_holds_is_an_error_that_goes_away(path):
    """Busy: another connection writes. Nobody is asked to wait, so the flush fails; once the other is done it works."""
    world = World(path, "delete")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    world.session.get(Author, 1).name = "anne"
    with pytest.raises(exc.OperationalError, match="database is locked") as caught:
        world.session.commit()
    assert isinstance(caught.value.orig, sqlite3.OperationalError)
    holder.execute("ROLLBACK")
    holder.close()
    world.session.rollback()
    assert world.session.get(Author, 1).name == "ann"
    world.session.get(Author, 1).name = "anne"
    world.session.commit()
    assert with_plain(path, contents)["authors"][0] == (1, "anne", 20)
    world.close()


def test_a_table_that_another_session_holds_in_a_shared_cache_is_locked(path):
    with_plain(path, World.fill, "delete")
    url = f"sqlite:///file:{path}?cache=shared&uri=true&timeout=0"
    engines = [with_real_transactions(create_engine(url)) for _ in range(2)]
    with Session(engines[0]) as holder, Session(engines[1]) as other:
        holder.add(Tag(word="held"))
        holder.flush()
        with pytest.raises(exc.OperationalError, match="locked"):
            other.add(Tag(word="other"))
            other.commit()
        other.rollback()
        holder.commit()
        other.add(Tag(word="other"))
        other.commit()
    for engine in engines:
        engine.dispose()
    assert [word for _, word in with_plain(path, contents)["tags"]] == ["old", "odd", "held", "other"]


def test_a_failed_flush_names_the_statement_and_waits_for_the_rollback(path):
    world = World(path, "delete")
    session = world.session
    ann, book, new = session.get(Author, 1), session.get(Book, 3), Author(name="new")
    ann.name = "anne"
    session.add(new)
    session.delete(book)
    faulty.arm("lock", 0, True)
    with pytest.raises(exc.OperationalError) as caught:
        session.flush()
    assert faulty.heal()
    assert caught.value.statement is not None and isinstance(caught.value.orig, sqlite3.OperationalError)
    assert not session.is_active and session.in_transaction()
    with pytest.raises(exc.PendingRollbackError, match="first issue Session.rollback"):
        session.scalars(select(Author)).all()
    session.rollback()
    assert inspect(new).transient and new not in session and new.id is None and new.name == "new"
    assert ann.name == "ann" and book in session
    session.add(new)
    session.commit()
    assert new.id == 3
    world.close()


def test_a_commit_that_fails_on_the_disk_is_undone_as_a_whole(path):
    world = World(path, "delete")
    session = world.session
    ann, new = session.get(Author, 1), Author(name="new")
    ann.name = "anne"
    session.add(new)
    session.flush()
    assert new.id == 3
    faulty.arm("sync", 0, False)
    with pytest.raises(exc.OperationalError, match="disk I/O error"):
        session.commit()
    assert faulty.heal()
    session.rollback()
    assert inspect(new).transient and ann.name == "ann"
    assert with_plain(path, contents)["authors"] == [(1, "ann", 20), (2, "bob", None)]
    world.close()


def test_the_faults_are_counted():
    print(f"faults: {len(INJECTED)} injected")
    assert INJECTED
