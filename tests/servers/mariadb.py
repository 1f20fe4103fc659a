"""A MariaDB server of Debian's packages."""

import pathlib
import shutil

from server import BaseServer, Failed

PLACES = "/usr/sbin:/usr/bin:/usr/local/bin"


def program(name):
    found = shutil.which(name, path=PLACES)
    if found is None:
        raise Failed("MariaDB is not installed: the Debian package is mariadb-server")
    return pathlib.Path(found)


class Server(BaseServer):
    variable = "CORMORANT_TEST_MARIADB"

    def prepare(self):
        self.run(
            program("mariadb-install-db"), "--no-defaults", f"--datadir={self.folder / 'data'}",
            "--auth-root-authentication-method=normal", "--skip-test-db",
        )  # fmt: skip
        first = self.folder / "first.sql"
        first.write_text(
            f"CREATE DATABASE {self.user};\n"
            f"CREATE USER {self.user}@'%' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO {self.user}@'%' WITH GRANT OPTION;\n"
            "DROP USER root@localhost;\n",
            encoding="ascii",
        )
        self.own(first)

    def command(self):
        settings = {
            "datadir": self.folder / "data", "socket": self.folder / "socket", "pid-file": self.folder / "pid",
            "port": self.port, "bind-address": "127.0.0.1", "init-file": self.folder / "first.sql",
            "character-set-server": "utf8mb4", "collation-server": "utf8mb4_general_ci", "max-connections": 250,
            "innodb-buffer-pool-size": "64M", "max-allowed-packet": "256M", "innodb-lock-wait-timeout": 5,
            "lock-wait-timeout": 10, "default-time-zone": "+00:00",
        }  # fmt: skip
        if not self.durable:
            settings.update({
                "innodb-flush-log-at-trx-commit": 0, "innodb-doublewrite": 0, "innodb-flush-method": "nosync",
                "sync-binlog": 0,
            })  # fmt: skip
        settings.update(self.settings)
        words = [f"--{name}={value}" for name, value in settings.items()]
        return [program("mariadbd"), "--no-defaults", "--skip-name-resolve", *words]

    def is_ready(self, line):
        return "ready for connections" in line

    def revive(self):
        (self.folder / "first.sql").write_text("", encoding="ascii")
        super().revive()

    def url(self):
        return f"mariadb://{self.user}:{self.password}@127.0.0.1:{self.port}/{self.user}"
