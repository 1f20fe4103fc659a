"""pgbouncer of Debian's packages, in front of a PostgreSQL server: it hands each transaction to another session."""

import pathlib
import shutil

from server import BaseServer, Failed


class PgBouncer(BaseServer):
    """In front of the server of a URL; sessions: how many it keeps there."""

    def __init__(self, url, sessions=1):
        super().__init__()
        self.target = url
        self.sessions = sessions

    def prepare(self):
        if shutil.which("pgbouncer", path="/usr/sbin:/usr/bin") is None:
            raise Failed("pgbouncer is not installed: the Debian package is pgbouncer")
        users = self.folder / "users"
        users.write_text(f'"{self.target.username}" "{self.target.password}"\n', encoding="ascii")
        self.own(users)

    def command(self):
        target = self.target
        configuration = self.folder / "pgbouncer.ini"
        configuration.write_text(f"""
            [databases]
            {target.database} = host={target.host} port={target.port} dbname={target.database}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {self.port}
            unix_socket_dir =
            auth_type = scram-sha-256
            auth_file = {self.folder / "users"}
            pool_mode = transaction
            default_pool_size = {self.sessions}
            max_client_conn = 200
            query_wait_timeout = 20
        """.replace("            ", ""), encoding="ascii")  # fmt: skip
        self.own(configuration)
        return [pathlib.Path("/usr/sbin/pgbouncer"), configuration]

    def is_ready(self, line):
        return "process up" in line

    def url(self):
        return self.target.set(host="127.0.0.1", port=self.port)
