"""TLS and passwords: each mode verifies what it says, each way of telling a password works, and none of them is shown.

The servers are the test's own, with certificates that it makes: the server's is for localhost, not for the address.
"""

import importlib
import logging
import os
import pathlib
import sys

import pytest
from cormorant import create_engine, exc, text
from databases import KIND

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))

import certificates  # noqa: E402 -- the path is set first

pytestmark = pytest.mark.database("postgresql", "mariadb")
postgresql_only = pytest.mark.database("postgresql")
mariadb_only = pytest.mark.database("mariadb")

SECRET = "s3cret:/@%?word"
USERS = {
    "postgresql": {"by_scram": "scram-sha-256", "by_md5": "md5", "by_password": "password", "only_tls": None},
    "mariadb": {"by_native": "mysql_native_password", "by_ed25519": "ed25519", "only_tls": None},
}[KIND if KIND != "sqlite" else "mariadb"]


def with_tls(folder):
    """The module of this database's server, with TLS and users of several kinds."""
    base = importlib.import_module(KIND).Server

    class Server(base):
        def prepare(self):
            super().prepare()
            for name in ("authority.pem", "server.pem", "server.key"):
                target = self.folder / name
                target.write_bytes((folder / name).read_bytes())
                target.chmod(0o600)
                self.own(target)
            getattr(self, f"prepare_{KIND}")()

        def prepare_postgresql(self):
            self.settings = {"ssl": "on", "ssl_cert_file": self.folder / "server.pem",
                             "ssl_key_file": self.folder / "server.key",
                             "ssl_ca_file": self.folder / "authority.pem"}  # fmt: skip
            hosts = "127.0.0.1/32"
            lines = [f"host all {name} {hosts} {method}" for name, method in USERS.items() if method is not None]
            lines += [f"hostssl all only_tls {hosts} scram-sha-256", f"hostssl all certified {hosts} cert",
                      f"host all {self.user} {hosts} scram-sha-256"]  # fmt: skip
            hba = self.folder / "data" / "pg_hba.conf"
            hba.write_text("\n".join(lines) + "\n", encoding="ascii")
            self.own(hba)

        def prepare_mariadb(self):
            self.settings = {"ssl-ca": self.folder / "authority.pem", "ssl-cert": self.folder / "server.pem",
                             "ssl-key": self.folder / "server.key", "plugin-load-add": "auth_ed25519"}  # fmt: skip

    return Server()


def make_users(server):
    admin = create_engine(server.url(), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        run = connection.exec_driver_sql
        if KIND == "postgresql":
            for name, method in USERS.items():
                run(f"SET password_encryption = '{'md5' if method == 'md5' else 'scram-sha-256'}'")
                run(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
            run("CREATE ROLE certified LOGIN")
        else:
            escaped = SECRET.replace("%", "%%")
            for name, method in USERS.items():
                via = f"VIA {method} USING PASSWORD('{escaped}')" if method else f"BY '{escaped}'"
                run(f"CREATE USER {name} IDENTIFIED {via} {'' if method else 'REQUIRE SSL'}".replace("%%", "%"))
            run("CREATE USER certified REQUIRE SUBJECT '/CN=certified'")
            run("GRANT SELECT ON *.* TO " + ", ".join([*USERS, "certified"]))
    admin.dispose()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    certificates.make(folder)
    return folder


@pytest.fixture(scope="module")
def server(folder):
    server = with_tls(folder)
    server.start()
    try:
        make_users(server)
        yield server
    finally:
        server.stop()


@pytest.fixture
def connect(server):
    """connect(user, host=, **arguments): whether the connection is encrypted."""
    from cormorant import make_url

    engines = []

    def connect(user, host="127.0.0.1", password=SECRET, **arguments):
        url = make_url(server.url()).set(username=user, password=password, host=host)
        engine = create_engine(url.update_query_dict({name: str(value) for name, value in arguments.items()}))
        engines.append(engine)
        with engine.connect() as connection:
            if KIND == "postgresql":
                return connection.scalar(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"))
            return connection.execute(text("SHOW STATUS LIKE 'Ssl_cipher'")).one()[1] != ""

    yield connect
    for engine in engines:
        engine.dispose()


def test_every_way_of_telling_a_password_works(connect):
    for name, method in USERS.items():
        if method is not None:
            connect(name)


def test_a_wrong_password_is_an_operational_error_that_shows_none(connect, caplog):
    caplog.set_level(logging.DEBUG)
    for name, method in USERS.items():
        if method is not None:
            with pytest.raises(exc.OperationalError, match="password|Access denied") as caught:
                connect(name, password="wr0ng:/@%?word")
            shown = [str(caught.value), repr(caught.value), repr(caught.value.orig), caplog.text]
            assert not any("wr0ng" in one for one in shown)


def test_a_user_of_tls_only_is_refused_in_the_clear(connect):
    arguments = {"sslmode": "disable"} if KIND == "postgresql" else {}
    with pytest.raises(exc.OperationalError, match="no encryption|Access denied"):
        connect("only_tls", **arguments)
    arguments = {"sslmode": "require"} if KIND == "postgresql" else {"ssl_mode": "REQUIRED"}
    assert connect("only_tls", **arguments) is True


# ---- PostgreSQL ----


@postgresql_only
def test_modes_encrypt_as_they_say(connect):
    assert connect("by_scram", sslmode="disable") is False
    assert connect("by_scram", sslmode="prefer") is True
    assert connect("by_scram", sslmode="require") is True


@postgresql_only
def test_the_authority_is_verified(connect, folder):
    authority, stranger = folder / "authority.pem", folder / "stranger.pem"
    assert connect("by_scram", sslmode="verify-ca", sslrootcert=authority) is True
    assert connect("by_scram", host="localhost", sslmode="verify-full", sslrootcert=authority) is True
    for mode in ("require", "verify-ca", "verify-full"):  # a file that is given is used by require, too
        with pytest.raises(exc.OperationalError, match="certificate verify failed"):
            connect("by_scram", host="localhost", sslmode=mode, sslrootcert=stranger)
    with pytest.raises(exc.OperationalError, match="root certificate file .* does not exist"):
        connect("by_scram", sslmode="verify-ca", sslrootcert=folder / "nowhere.pem")


@postgresql_only
def test_the_name_is_verified_in_full(connect, folder):
    with pytest.raises(exc.OperationalError, match="does not match host name"):
        connect("by_scram", sslmode="verify-full", sslrootcert=folder / "authority.pem")


@postgresql_only
def test_a_certificate_is_as_good_as_a_password(connect, folder):
    arguments = {"sslmode": "verify-full", "sslrootcert": folder / "authority.pem", "host": "localhost"}
    assert connect("certified", password=None, sslcert=folder / "client.pem", sslkey=folder / "client.key", **arguments)
    with pytest.raises(exc.OperationalError, match="certificate"):
        connect("certified", password=None, sslcert=os.devnull, **arguments)


@postgresql_only
def test_a_server_without_tls_does_not_do_for_those_who_require_it(database):
    engine = create_engine(database.own.update_query_dict({"sslmode": "require"}))
    with pytest.raises(exc.OperationalError, match="does not support SSL"):
        engine.connect()


@postgresql_only
def test_a_mode_that_does_not_exist_is_an_error(connect):
    with pytest.raises(exc.DBAPIError, match="sslmode"):
        connect("by_scram", sslmode="perhaps")


# ---- MariaDB ----


@mariadb_only
def test_nothing_is_encrypted_unless_it_is_asked_for(connect):
    assert connect("by_native") is False
    assert connect("by_native", ssl_mode="DISABLED") is False
    assert connect("by_native", ssl_disabled="true") is False


@mariadb_only
def test_asking_for_tls_gets_it(connect, folder):
    assert connect("by_native", ssl="true") is True
    assert connect("by_native", ssl_mode="REQUIRED") is True
    assert connect("by_ed25519", ssl_ca=folder / "authority.pem", host="localhost") is True


@mariadb_only
def test_the_certificate_is_verified(connect, folder):
    authority, stranger = folder / "authority.pem", folder / "stranger.pem"
    for arguments in ({"ssl_verify_cert": "true"}, {"ssl_verify_identity": "true"}, {"ssl_mode": "VERIFY_IDENTITY"},
                      {"ssl_mode": "VERIFY_CA"}, {}):  # fmt: skip
        assert connect("by_native", host="localhost", ssl_ca=authority, **arguments) is True
        with pytest.raises(exc.OperationalError, match="(?i)certificate|SSL"):
            connect("by_native", host="localhost", ssl_ca=stranger, **arguments)


@mariadb_only
def test_the_name_is_verified(connect, folder):
    for arguments in ({"ssl_verify_identity": "true"}, {"ssl_mode": "VERIFY_IDENTITY"}, {"ssl_check_hostname": "true"}):
        with pytest.raises(exc.OperationalError, match="(?i)certificate|SSL"):
            connect("by_native", ssl_ca=folder / "authority.pem", **arguments)
    assert connect("by_native", ssl_ca=folder / "authority.pem") is True  # by itself it says who vouches


@mariadb_only
def test_a_clients_certificate_lets_it_in(connect, folder):
    arguments = {"ssl_ca": folder / "authority.pem", "host": "localhost", "password": ""}
    assert connect("certified", ssl_cert=folder / "client.pem", ssl_key=folder / "client.key", **arguments) is True
    with pytest.raises(exc.OperationalError, match="Access denied"):
        connect("certified", **arguments)


@mariadb_only
def test_a_server_that_offers_no_tls_is_refused_where_it_is_asked_for(database):
    for arguments in ({"ssl": "true"}, {"ssl_mode": "REQUIRED"}):
        engine = create_engine(database.own.update_query_dict(arguments))
        with pytest.raises(exc.OperationalError, match="(?i)SSL|TLS"):
            engine.connect()
