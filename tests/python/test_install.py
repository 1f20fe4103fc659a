"""install_as_sqlalchemy(), and the names that are there and not there: promises that only Cormorant makes."""

import pytest
from support import ours_only, output_of, run_python

pytestmark = ours_only


def test_after_it_sqlalchemy_is_cormorant():
    program = """
        import cormorant
        cormorant.install_as_sqlalchemy()
        import sqlalchemy, sqlalchemy.orm, sqlalchemy.exc, sqlalchemy.types, sqlalchemy.event, sqlalchemy.pool
        import sqlalchemy.ext.declarative, sqlalchemy.engine, sqlalchemy.orm.exc, sqlalchemy.orm.attributes
        import sqlalchemy.sql, sqlalchemy.schema, sqlalchemy.dialects.sqlite, sqlalchemy.sql.expression
        from sqlalchemy import Integer, select
        from sqlalchemy.orm import Session
        import cormorant.orm
        assert sqlalchemy.orm is cormorant.orm and Session is cormorant.orm.Session and Integer is cormorant.Integer
        assert sqlalchemy.exc is cormorant.exc and sqlalchemy.orm.exc.StaleDataError is cormorant.orm.exc.StaleDataError
        print("same")
        """
    assert output_of(program).strip() == "same"


def test_it_may_be_called_again_and_after_cormorants_own_modules():
    program = """
        import cormorant, cormorant.orm
        cormorant.install_as_sqlalchemy()
        cormorant.install_as_sqlalchemy()
        import sqlalchemy.orm
        print(sqlalchemy.orm is cormorant.orm)
        """
    assert output_of(program).strip() == "True"


def test_a_submodule_imported_first_comes_right():
    program = """
        import cormorant
        cormorant.install_as_sqlalchemy()
        from sqlalchemy.orm.exc import DetachedInstanceError
        import cormorant.orm.exc
        print(DetachedInstanceError is cormorant.orm.exc.DetachedInstanceError)
        """
    assert output_of(program).strip() == "True"


def test_after_the_real_one_it_is_an_error_that_says_so(tmp_path):
    (tmp_path / "sqlalchemy").mkdir()
    (tmp_path / "sqlalchemy" / "__init__.py").write_text("__version__ = '2.0'\n")
    program = """
        import sys
        sys.path.insert(0, sys.argv[1])
        import sqlalchemy
        import cormorant
        try:
            cormorant.install_as_sqlalchemy()
        except Exception as error:
            print(type(error).__name__, error)
        assert sqlalchemy is sys.modules["sqlalchemy"] and sqlalchemy.__version__ == "2.0"
        """
    complaint = output_of(program, tmp_path)
    assert "SQLAlchemy" in complaint and "before install_as_sqlalchemy" in complaint


def test_before_the_real_one_the_real_one_is_never_found(tmp_path):
    (tmp_path / "sqlalchemy").mkdir()
    (tmp_path / "sqlalchemy" / "__init__.py").write_text("raise SystemExit('the real one was imported')\n")
    program = """
        import sys
        sys.path.insert(0, sys.argv[1])
        import cormorant
        cormorant.install_as_sqlalchemy()
        import sqlalchemy
        print(sqlalchemy is cormorant)
        """
    assert output_of(program, tmp_path).strip() == "True"


@pytest.mark.parametrize(
    "statement, name",
    [
        ("from cormorant import no_such_thing", "no_such_thing"),
        ("from cormorant.orm import no_such_thing", "no_such_thing"),
        ("import cormorant.ext.asyncio", "asyncio"),
        ("import cormorant.ext.no_such_thing", "no_such_thing"),
        ("import cormorant.dialects.oracle", "oracle"),
    ],
)
def test_a_name_that_is_not_there_yet_is_an_import_error_that_says_so(statement, name):
    complaint = run_python(statement).stderr.splitlines()[-1]
    assert complaint.startswith(("ImportError", "ModuleNotFoundError")) and name in complaint


@pytest.mark.parametrize("name", ["Uuid_of_tomorrow", "reflect_everything"])
def test_a_name_that_is_not_there_yet_is_an_attribute_error_that_says_so(name):
    import cormorant
    import cormorant.orm

    for module in (cormorant, cormorant.orm):
        with pytest.raises(AttributeError, match=name):
            getattr(module, name)


def test_a_star_import_gives_what_the_package_lists():
    import cormorant

    assert {"select", "Column", "Integer", "create_engine", "func"} <= set(dir(cormorant))


def test_every_public_name_can_be_imported():
    program = """
        import importlib, cormorant
        for module in ("cormorant", "cormorant.orm", "cormorant.exc", "cormorant.types", "cormorant.event",
                       "cormorant.pool", "cormorant.engine", "cormorant.schema", "cormorant.sql", "cormorant.orm.exc",
                       "cormorant.inspection"):
            found = importlib.import_module(module)
            for name in dir(found):
                getattr(found, name)
        print("all")
        """
    assert output_of(program).strip() == "all"


def test_functions_and_methods_tell_their_signatures():
    import inspect

    from cormorant import create_engine, select
    from cormorant.engine import Connection
    from cormorant.orm import Query, Session

    for thing in (
        create_engine,
        select,
        Session.get,
        Session.execute,
        Session.add,
        Query.filter,
        Query.all,
        Connection.execute,
    ):
        assert inspect.signature(thing) is not None and thing.__doc__, thing


def test_the_package_has_a_version():
    import cormorant

    assert cormorant.__version__.split(".")[0].isdigit()
