"""Hosts in URLs: names that are not found, several hosts, and addresses; nothing of it holds the program up."""

import pytest
from cormorant import create_engine, exc, text
from databases import KIND
from support import PEER, ours_only

pytestmark = pytest.mark.database("postgresql", "mariadb")
NOWHERE = "nowhere.invalid"  # RFC 6761: never found


def answer(url):
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.scalar(text("SELECT 42"))
    finally:
        engine.dispose()


@ours_only  # mysqlclient takes localhost for a socket
def test_a_name_is_as_good_as_its_address(database):
    for host in ("localhost", "127.0.0.1"):
        assert answer(database.own.set(host=host)) == 42


def test_a_name_that_is_not_found_is_an_operational_error(database):
    with pytest.raises(exc.OperationalError, match=NOWHERE) as caught:
        answer(database.own.set(host=NOWHERE))
    if KIND == "mariadb":
        assert caught.value.orig.args[0] == 2005
    else:
        assert "could not translate host name" in str(caught.value) or PEER


@pytest.mark.database("postgresql")
def test_of_several_hosts_the_first_that_answers_is_taken(database):
    own = database.own
    several = own.update_query_dict(
        {"host": [f"{NOWHERE}:{own.port}", "localhost:1", f"localhost:{own.port}"]}
    )
    assert answer(several) == 42
    with pytest.raises(exc.OperationalError, match=NOWHERE):
        answer(own.update_query_dict({"host": [NOWHERE, NOWHERE]}))


@pytest.mark.database("postgresql")
def test_an_address_may_stand_beside_the_name_that_is_verified(database):
    assert answer(database.own.set(host=NOWHERE).update_query_dict({"hostaddr": "127.0.0.1"})) == 42
