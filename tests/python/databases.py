"""The database that the tests run on: CORMORANT_TEST_DB=sqlite (the default), postgresql or mariadb.

Servers are named by CORMORANT_TEST_POSTGRESQL and CORMORANT_TEST_MARIADB (tests/servers/run.py sets them). A run makes
a database of its own on the server, so that several runs may share one; after each test it is emptied.
"""

import os

KIND = os.environ.get("CORMORANT_TEST_DB", "sqlite")
PEER = os.environ.get("CORMORANT_TEST_PEER") == "1"


def number_on(engine, *tables):
    """After rows with keys of our own: the database numbers on behind them. Only PostgreSQL has to be told."""
    from cormorant import text

    if engine.dialect.name != "postgresql":
        return
    with engine.begin() as connection:
        for table in tables:
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"))


class SQLite:
    """In memory, or one file a test."""

    def url(self, folder=None):
        return "sqlite://" if folder is None else f"sqlite:///{folder / 'story.db'}"

    def clean(self):
        pass

    def close(self):
        pass


class Server:
    """What a server's databases have in common: an engine for administration, and a database of the run's own."""

    variable = ""

    def __init__(self):
        from cormorant import create_engine, make_url

        given = os.environ.get(self.variable)
        if given is None:
            raise RuntimeError(f"{self.variable} is not set: run under tests/servers/run.py")
        self.root = make_url(given)
        self.name = f"cormorant_test_{os.getpid()}"
        self.maker = create_engine(self.root, isolation_level="AUTOCOMMIT", pool_size=1)
        self.execute(self.maker, f"CREATE DATABASE {self.name}")
        self.own = self.root.set(database=self.name)
        self.admin = create_engine(self.own, isolation_level="AUTOCOMMIT", pool_size=1)

    def execute(self, engine, *statements):
        from cormorant import text

        with engine.connect() as connection:
            return [connection.execute(text(statement)) for statement in statements][-1]

    def url(self, folder=None):
        return self.own

    def clean(self):
        raise NotImplementedError

    def close(self):
        self.admin.dispose()
        self.drop()
        self.maker.dispose()

    def drop(self):
        self.execute(self.maker, f"DROP DATABASE IF EXISTS {self.name}")


class PostgreSQL(Server):
    variable = "CORMORANT_TEST_POSTGRESQL"

    # Everything a test may have made; none: nothing has to be dropped.
    used = """
        SELECT n.nspname FROM pg_namespace n
        WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname != 'information_schema'
          AND (n.nspname != 'public' OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid)
               OR EXISTS (SELECT FROM pg_type t WHERE t.typnamespace = n.oid)
               OR EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = n.oid))
    """
    # A test that failed may have left a transaction open, whose locks would be waited for.
    end_others = """
        SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid != pg_backend_pid()
    """

    def clean(self):
        from cormorant import text

        with self.admin.connect() as connection:
            schemas = list(connection.scalars(text(self.used)))
            if schemas:
                connection.execute(text(self.end_others))
            for schema in schemas:
                connection.execute(text(f'DROP SCHEMA "{schema}" CASCADE'))
            if "public" in schemas:
                connection.execute(text("CREATE SCHEMA public"))

    def drop(self):
        self.execute(self.maker, f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


class MariaDB(Server):
    variable = "CORMORANT_TEST_MARIADB"

    def clean(self):
        from cormorant import text

        with self.admin.connect() as connection:
            used = list(
                connection.execute(
                    text("SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = DATABASE()")
                )
            )
            if not used:
                return
            self.end_others(connection)
            connection.execute(text("SET foreign_key_checks = 0"))
            for name, kind in used:
                what = {"VIEW": "VIEW", "SEQUENCE": "SEQUENCE"}.get(kind, "TABLE")
                connection.exec_driver_sql(f"DROP {what} `{name.replace('`', '``')}`")
            connection.execute(text("SET foreign_key_checks = 1"))

    def end_others(self, connection):
        """A test that failed may have left a transaction open, whose locks would be waited for."""
        from cormorant import exc, text

        others = connection.scalars(
            text("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id != CONNECTION_ID()")
        )
        for number in list(others):
            try:
                connection.execute(text(f"KILL {number}"))
            except exc.OperationalError:
                pass  # it has ended by itself


KINDS = {"sqlite": SQLite, "postgresql": PostgreSQL, "mariadb": MariaDB}
