"""The databases that the demo runs on: a fresh one for each run, and a look into it that is not Cormorant's.

SQLite's is a file. PostgreSQL's and MariaDB's lie on a server, and are looked into by the server's own client program.
Names are compared byte by byte, as SQLite does, so that the order of answers is the same everywhere.
"""

import os
import sqlite3
import subprocess
import sys
import urllib.parse
from pathlib import Path

SERVERS = Path(__file__).resolve().parent.parent / "tests" / "servers" / "run.py"
Rows = list[tuple[str | None, ...]]


class SQLite:
    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self.file = folder / "cormorant.db"
        self.url = f"sqlite:///{self.file}"

    def rows(self, statement: str) -> Rows:
        """What is stored, every column as text."""
        return rows_of_file(self.file, statement)

    def close(self) -> None:
        pass


def rows_of_file(file: Path, statement: str) -> Rows:
    """Rows of an SQLite file, every column as text. That foreign keys hold is SQLite's to check when it is asked."""
    database = sqlite3.connect(str(file))
    wrong = database.execute("PRAGMA foreign_key_check").fetchall()
    if wrong:
        sys.exit(f"{file}: rows refer to rows that do not exist: {wrong[:5]}")
    rows = [tuple(None if cell is None else str(cell) for cell in row) for row in database.execute(statement)]
    database.close()
    return rows


class Server:
    """A database of the run's own, dropped at its end."""

    name = variable = create = null = ""

    def __init__(self, folder: Path) -> None:
        given = urllib.parse.urlsplit(os.environ[self.variable])
        self.user, self.password = (
            urllib.parse.unquote(given.username or ""),
            urllib.parse.unquote(given.password or ""),
        )
        self.host, self.port, self.first = given.hostname or "localhost", given.port, given.path.lstrip("/")
        self.database = f"cormorant_demo_{os.getpid()}"
        self.url = given._replace(path=f"/{self.database}").geturl()
        self.ask(self.first, self.create.format(self.database))

    def command(self, database: str, statement: str) -> list[str]:
        """The client program's arguments: one line a row, tabs between columns."""
        raise NotImplementedError

    def ask(self, database: str, statement: str) -> str:
        secret = {"PGPASSWORD": self.password, "MYSQL_PWD": self.password}
        done = subprocess.run(
            self.command(database, statement), env={**os.environ, **secret}, capture_output=True, encoding="utf-8"
        )
        if done.returncode != 0:
            sys.exit(f"{statement}: {done.stderr}")
        return done.stdout

    def rows(self, statement: str) -> Rows:
        """What is stored, every column as text."""
        lines = self.ask(self.database, statement).splitlines()
        return [tuple(None if cell == self.null else cell for cell in line.split("\t")) for line in lines]

    def close(self) -> None:
        self.ask(self.first, f"DROP DATABASE {self.database}")


class PostgreSQL(Server):
    name, variable, null = "PostgreSQL", "CORMORANT_TEST_POSTGRESQL", r"\N"
    create = "CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"

    def command(self, database: str, statement: str) -> list[str]:
        where = ["-h", self.host, "-p", str(self.port or 5432), "-U", self.user, "-d", database or "postgres"]
        return ["psql", "-XqAt", "-F", "\t", "-P", r"null=\N", *where, "-c", statement]


class MariaDB(Server):
    name, variable, null = "MariaDB", "CORMORANT_TEST_MARIADB", "NULL"
    create = "CREATE DATABASE {} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

    def command(self, database: str, statement: str) -> list[str]:
        where = ["--host", self.host, "--port", str(self.port or 3306), "--user", self.user, database]
        return ["mariadb", "--no-defaults", "--default-character-set=utf8mb4", "-BN", *where, "-e", statement]


KINDS: dict[str, type[SQLite] | type[PostgreSQL] | type[MariaDB]] = {
    "sqlite": SQLite,
    "postgresql": PostgreSQL,
    "mariadb": MariaDB,
}


def open_database(wanted: str, folder: Path) -> SQLite | Server:
    """The database of a kind or of a server's URL. A server that nobody named is started, for this program run anew."""
    kind = wanted.partition("://")[0].partition("+")[0]
    if kind not in KINDS or (kind == "sqlite" and kind != wanted):
        sys.exit(f"DB is one of {', '.join(KINDS)}, or the URL of a server; not {wanted}")
    variable = getattr(KINDS[kind], "variable", None)
    if variable and kind != wanted:
        os.environ[variable] = wanted
    if variable and variable not in os.environ:
        folder.rmdir()
        os.execv(sys.executable, [sys.executable, str(SERVERS), f"--{kind}", "--", sys.executable, *sys.argv])
    return KINDS[kind](folder)
