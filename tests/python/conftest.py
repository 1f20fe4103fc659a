"""Puts the package under test on the path, under the name `cormorant`.

Normally that is Cormorant's importable tree, build/python (or whatever PYTHONPATH says). With CORMORANT_TEST_PEER=1
the name `cormorant`, and every module below it, stands for the installed SQLAlchemy instead: a test that passes there
states what SQLAlchemy does, and so what Cormorant has to do.

Which database the fixtures give is CORMORANT_TEST_DB's to say: see databases.py. What differs is in differences.py.
"""

import importlib
import importlib.machinery
import importlib.util
import os
import pathlib
import sys

import pytest

PEER = os.environ.get("CORMORANT_TEST_PEER") == "1"
BUILD_TREE = pathlib.Path(__file__).resolve().parents[2] / "build" / "python"


class PeerFinder:
    """Finds `cormorant.x` by handing out the module `sqlalchemy.x` itself."""

    def find_spec(self, name, path=None, target=None):
        if name != "cormorant" and not name.startswith("cormorant."):
            return None
        try:
            module = importlib.import_module("sqlalchemy" + name[len("cormorant") :])
        except ModuleNotFoundError:
            return None
        return importlib.machinery.ModuleSpec(name, PeerLoader(module, module.__spec__))


class PeerLoader:
    def __init__(self, module, spec):
        self.module = module
        self.spec = spec

    def create_module(self, spec):
        return self.module

    def exec_module(self, module):
        module.__spec__ = self.spec


if PEER:
    sys.meta_path.insert(0, PeerFinder())
elif importlib.util.find_spec("cormorant") is None:
    sys.path.insert(0, str(BUILD_TREE))


def pytest_configure(config):
    config.addinivalue_line("markers", "database(*kinds): the test is about these databases only")


def pytest_collection_modifyitems(config, items):
    import databases
    import differences

    for item in items:
        reason = differences.reason_against(databases.KIND, item)
        if reason is not None:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def database():
    """The database of this run."""
    import databases

    made = databases.KINDS[databases.KIND]()
    yield made
    made.close()


@pytest.fixture
def database_url(database, tmp_path):
    """The URL of a fresh database, for stories with engines of their own."""
    yield database.url(tmp_path)
    database.clean()


@pytest.fixture
def engine(database):
    """A fresh database (SQLite's in memory), gone when the test is over."""
    from cormorant import create_engine

    engine = create_engine(database.url())
    yield engine
    engine.dispose()
    database.clean()


@pytest.fixture
def file_engine(database_url):
    """A fresh database (SQLite's in a file), for stories with more than one connection."""
    from cormorant import create_engine

    engine = create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine):
    """A session over a database in memory with four people in it; see people.py."""
    from cormorant.orm import Session
    from people import fill

    fill(engine)
    with Session(engine) as session:
        yield session
