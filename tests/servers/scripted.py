"""Servers that say what a test wants them to say: enough of each protocol to connect and to answer statements, and a
hook that may replace any message by a lie. They run in threads of the test's own process.
"""

import socket
import struct
import threading

from proxy import close_socket


class Scripted:
    """Listens on a port of 127.0.0.1, and answers each connection in a thread of its own.

    :param columns: of the answer to every statement that begins with SELECT.
    :param rows: tuples of bytes, or None for NULL, as they travel.
    :param lie: called with a message's name and its bytes (frame included); gives what is sent instead, b"" for
        nothing, or None for silence from there on.
    """

    def __init__(self, columns=(), rows=(), lie=lambda name, message: message):
        self.columns, self.rows, self.lie = columns, rows, lie
        self.connections = 0
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        for one in [self.listener, *self.sockets]:
            close_socket(one)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.sockets.append(client)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            self.talk(client)
        except (OSError, EOFError, struct.error):
            pass
        client.close()

    def say(self, client, name, message):
        told = self.lie(name, message)
        if told is None:
            client.recv(1 << 20)
            while client.recv(1 << 20):
                pass
            raise EOFError
        client.sendall(told)

    @staticmethod
    def take(client, size):
        data = b""
        while len(data) < size:
            more = client.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data


class PostgreSQL(Scripted):
    """Columns are (name, type's number, size, 1 for binary)."""

    def url(self, arguments=""):
        return f"postgresql://ada:secret@127.0.0.1:{self.port}/db?{arguments}"

    def tell(self, client, name, kind, body=b""):
        self.say(client, name, kind + struct.pack("!I", len(body) + 4) + body)

    def talk(self, client):
        while True:
            size, code = struct.unpack("!II", self.take(client, 8))
            self.take(client, size - 8)
            if code == 196608:
                break
            if code == 80877102:  # a cancel request
                return
            client.sendall(b"N")  # neither TLS nor GSSAPI
        self.tell(client, "authentication", b"R", struct.pack("!I", 0))
        for name, value in (("server_version", "15.4"), ("server_encoding", "UTF8"), ("client_encoding", "UTF8"),
                            ("DateStyle", "ISO, MDY"), ("TimeZone", "UTC"), ("integer_datetimes", "on"),
                            ("standard_conforming_strings", "on")):  # fmt: skip
            self.tell(client, "parameter", b"S", f"{name}\0{value}\0".encode())
        self.tell(client, "key", b"K", struct.pack("!II", 1, 2))
        self.statements, self.portal, self.state = {}, "", b"I"
        self.tell(client, "ready", b"Z", self.state)
        while True:
            kind, size = struct.unpack("!cI", self.take(client, 5))
            body = self.take(client, size - 4)
            if kind == b"X":
                return
            self.answer(client, kind, body)

    def answer(self, client, kind, body):
        if kind == b"P":
            name, sql = body.split(b"\0")[:2]
            self.statements[name] = sql.decode()
            self.tell(client, "parsed", b"1")
        elif kind == b"B":
            self.portal = self.statements.get(body.split(b"\0")[1], "")
            self.tell(client, "bound", b"2")
        elif kind == b"C":
            self.tell(client, "closed", b"3")
        elif kind == b"D":
            sql = self.portal if body[:1] == b"P" else self.statements.get(body[1:-1], "")
            if body[:1] == b"S":
                self.tell(client, "parameters", b"t", struct.pack("!H", 0))
            self.describe(client, sql)
        elif kind == b"E":
            self.execute(client, self.portal)
        elif kind == b"Q":
            sql = body[:-1].decode()
            if sql.startswith("SELECT"):
                self.describe(client, sql)
            self.execute(client, sql)
            self.tell(client, "ready", b"Z", self.state)
        elif kind == b"S":
            self.tell(client, "ready", b"Z", self.state)

    def describe(self, client, sql):
        if not sql.startswith("SELECT"):
            self.tell(client, "no data", b"n")
            return
        body = struct.pack("!H", len(self.columns))
        for name, number, size, form in self.columns:
            body += name.encode() + b"\0" + struct.pack("!IHIhIH", 0, 0, number, size, 0xFFFFFFFF, form)
        self.tell(client, "columns", b"T", body)

    def execute(self, client, sql):
        word = sql.split()[0] if sql else ""
        if word == "SELECT":
            for row in self.rows:
                body = struct.pack("!H", len(row))
                for value in row:
                    body += struct.pack("!i", -1) if value is None else struct.pack("!I", len(value)) + value
                self.tell(client, "row", b"D", body)
        self.state = {"BEGIN": b"T", "COMMIT": b"I", "ROLLBACK": b"I"}.get(word, self.state)
        tag = f"SELECT {len(self.rows)}" if word == "SELECT" else word
        self.tell(client, "complete", b"C", tag.encode() + b"\0")


def text_of(data):
    """A text with its length in front."""
    assert len(data) < 251
    return bytes([len(data)]) + data


class MariaDB(Scripted):
    """Columns are (name, type's number, flags, number of the character set)."""

    # long passwords and flags, a database, protocol 4.1, transactions, salted passwords, plug-ins
    capabilities = 1 | 2 | 4 | 8 | 0x200 | 0x2000 | 0x8000 | 0x80000

    def url(self, arguments=""):
        return f"mariadb://ada:secret@127.0.0.1:{self.port}/db?{arguments}"

    def tell(self, client, name, body):
        self.say(client, name, len(body).to_bytes(3, "little") + bytes([self.number & 255]) + body)
        self.number += 1

    def talk(self, client):
        self.number = 0
        status = struct.pack("<H", 2)
        self.tell(client, "greeting", b"\x0a5.5.5-10.11.4-MariaDB\0" + struct.pack("<I", 7) + b"saltsalt\0"
                  + struct.pack("<H", self.capabilities & 0xFFFF) + b"\x2d" + status
                  + struct.pack("<H", self.capabilities >> 16) + bytes([21]) + b"\0" * 10 + b"saltsaltsalt\0"
                  + b"mysql_native_password\0")  # fmt: skip
        self.read(client)
        self.ok(client)
        while True:
            command = self.read(client)
            self.number = 1
            kind, rest = command[:1], command[1:]
            if kind == b"\x01":
                return
            if kind == b"\x03":
                self.rows_of(client, rest.decode(errors="replace"), binary=False)
            elif kind == b"\x16":
                self.prepare(client, rest.decode())
            elif kind == b"\x17":
                self.rows_of(client, self.sql, binary=True)
            elif kind != b"\x19":
                self.ok(client)

    def read(self, client):
        head = self.take(client, 4)
        self.number = head[3] + 1
        return self.take(client, int.from_bytes(head[:3], "little"))

    def ok(self, client):
        self.tell(client, "ok", b"\0\0\0" + struct.pack("<HH", 2, 0))

    def end(self, client):
        self.tell(client, "end", b"\xfe" + struct.pack("<HH", 0, 2))

    def prepare(self, client, sql):
        self.sql = sql
        count = len(self.columns) if sql.startswith("SELECT") else 0
        self.tell(client, "prepared", b"\0" + struct.pack("<IHHBH", 1, count, 0, 0, 0))
        if count:
            self.describe(client)

    def describe(self, client):
        for name, number, flags, charset in self.columns:
            body = b"".join(text_of(part) for part in (b"def", b"", b"", b"", name.encode(), b""))
            self.tell(client, "column", body + b"\x0c" + struct.pack("<HIBHBH", charset, 255, number, flags, 0, 0))
        self.end(client)

    def rows_of(self, client, sql, binary):
        if not sql.startswith("SELECT"):
            self.ok(client)
            return
        self.tell(client, "count", bytes([len(self.columns)]))
        self.describe(client)
        for row in self.rows:
            if binary:
                nulls = bytearray((len(row) + 9) // 8)
                for i, value in enumerate(row):
                    if value is None:
                        nulls[(i + 2) // 8] |= 1 << (i + 2) % 8
                body = b"\0" + bytes(nulls) + b"".join(value for value in row if value is not None)
            else:
                body = b"".join(b"\xfb" if value is None else text_of(value) for value in row)
            self.tell(client, "row", body)
        self.end(client)
