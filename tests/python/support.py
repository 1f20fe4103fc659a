"""Small helpers that the stories share."""

import contextlib
import os
import pathlib
import re
import subprocess
import sys
import textwrap

import databases
import pytest

PEER = os.environ.get("CORMORANT_TEST_PEER") == "1"
HERE = pathlib.Path(__file__).resolve().parent
ACCEPTANCE = HERE.parent / "acceptance"

ours_only = pytest.mark.skipif(PEER, reason="a promise that only Cormorant makes")


def flat(text):
    """SQL on one line, so that a test does not depend on where lines break."""
    return " ".join(str(text).split())


MARK = re.compile(r"(\$\d+|%\(\w+\)s|%s)(::[A-Z]+( WITH(OUT)? TIME ZONE)?)?")


def plain(text):
    """SQL on one line with each parameter as a question mark, however the database marks them."""
    return MARK.sub("?", flat(text))


def words(**kinds):
    """The words of the database that the tests run on: words(sqlite="no such table", postgresql="does not exist")."""
    return kinds[databases.KIND]


def keep_references_true(engine):
    """Foreign keys are enforced: SQLite has to be told."""
    from cormorant import event

    if databases.KIND == "sqlite":
        event.listen(engine, "connect", lambda connection, record: connection.execute("PRAGMA foreign_keys = ON"))


@contextlib.contextmanager
def statements_of(engine):
    """Collect what goes to the database: a list of Sent, filled while the block runs."""
    from cormorant import event

    sent = []

    def note(connection, cursor, statement, parameters, context, executemany):
        sent.append(Sent(plain(statement), parameters, executemany))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


TRIED = []


def tried(what):
    """Count a hostile input, and hand it on."""
    TRIED.append(what)
    return what


class Sent:
    """One statement that went to the driver."""

    def __init__(self, text, parameters, many):
        self.text = text
        self.parameters = parameters
        self.many = many

    @property
    def verb(self):
        return self.text.split(" ", 1)[0].upper()

    @property
    def table(self):
        words = self.text.replace("INSERT INTO", "INTO").replace("DELETE FROM", "FROM").split()
        for before in ("INTO", "UPDATE", "FROM"):
            if before in words:
                return words[words.index(before) + 1]
        return None

    def __repr__(self):
        return f"<{self.text} {self.parameters!r}{' many' if self.many else ''}>"


def with_real_transactions(engine):
    """The peer needs its documented recipe for SQLite, or its savepoints begin no transaction; we need nothing."""
    from cormorant import event

    if PEER:
        event.listen(engine, "connect", lambda connection, record: setattr(connection, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def verbs(sent):
    return [one.verb for one in sent]


def run_python(source, *arguments, environment=None, timeout=120):
    """Run a program in a fresh interpreter that sees the same `cormorant`; returns the finished process."""
    prelude = f"import sys; sys.path.insert(0, {str(HERE)!r}); import conftest; sys.argv[0] = 'program'\n"
    source = textwrap.dedent(source)
    future = "from __future__ import annotations\n"
    if future in source:
        prelude, source = future + prelude, source.replace(future, "")
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path), **(environment or {}))
    return subprocess.run(
        [sys.executable, "-c", prelude + source, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=env,
    )


def output_of(source, *arguments, **options):
    """What such a program prints; the test fails, with the program's complaint, if it does not end well."""
    done = run_python(source, *arguments, **options)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
