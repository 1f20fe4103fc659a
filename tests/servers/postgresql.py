"""A PostgreSQL server of Debian's packages."""

import pathlib
import signal

from server import BaseServer, Failed


def programs():
    """The folder of the newest version's programs."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    if not found:
        raise Failed("PostgreSQL is not installed: the Debian package is postgresql")
    return found[-1].parent


class Server(BaseServer):
    variable = "CORMORANT_TEST_POSTGRESQL"
    stop_signal = signal.SIGINT  # "fast": sessions are ended
    death_signal = signal.SIGQUIT

    def prepare(self):
        password = self.folder / "password"
        password.write_text(self.password, encoding="ascii")
        self.own(password)
        self.run(
            programs() / "initdb", "--pgdata", self.folder / "data", "--username", self.user, "--pwfile", password,
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions",
        )  # fmt: skip

    def command(self):
        settings = {
            "port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder,
            "max_connections": 250, "shared_buffers": "64MB", "timezone": "UTC", "log_timezone": "UTC",
            "max_prepared_transactions": 20, "lock_timeout": "5s", "logging_collector": "off", "autovacuum": "off",
        }  # fmt: skip
        if not self.durable:
            settings.update(fsync="off", synchronous_commit="off", full_page_writes="off")
        settings.update(self.settings)
        words = [f"--{name}={value}" for name, value in settings.items()]
        return [programs() / "postgres", "-D", self.folder / "data", *words]

    def is_ready(self, line):
        return "ready to accept connections" in line

    def url(self):
        return f"postgresql://{self.user}:{self.password}@127.0.0.1:{self.port}/postgres"
