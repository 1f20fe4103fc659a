"""A proxy between a client and a database server that knows where messages begin, and breaks the connection there.

It runs in threads of the test's own process. A fault is what happens at the n-th message from the server, counted over
all connections since reset(): see FAULTS. Until then, and when there is none, bytes go through as they are.
"""

import socket
import struct
import threading
import time

FAULTS = {
    "cut": "both sides are closed instead of sending the message",
    "reset": "the client's side is reset instead of sending the message",
    "truncate": "half of the message is sent, then both sides are closed",
    "stall": "from the message on nothing is sent in either direction",
    "half": "half of the message is sent, then nothing more",
}


def close_socket(one):
    """Close a socket; whoever waits for it wakes."""
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    one.close()


class Framing:
    """Cuts a stream of bytes into messages. Bytes that are not a whole message yet are kept."""

    def __init__(self):
        self.kept = b""

    def take(self, data):
        self.kept += data
        while (size := self.size()) is not None and len(self.kept) >= size:
            message, self.kept = self.kept[:size], self.kept[size:]
            yield message


class PostgreSQLFraming(Framing):
    """A type and a length, but for the one byte that answers a request for TLS."""

    def size(self):
        if self.kept[:1] in (b"S", b"N") and len(self.kept) == 1:
            return 1
        return 1 + struct.unpack("!I", self.kept[1:5])[0] if len(self.kept) >= 5 else None


class MariaDBFraming(Framing):
    """A length of three bytes and a number."""

    def size(self):
        return 4 + int.from_bytes(self.kept[:3], "little") if len(self.kept) >= 4 else None


FRAMINGS = {"postgresql": PostgreSQLFraming, "mariadb": MariaDBFraming}


class Proxy:
    """Listens on a port of its own and connects to (host, port).

    :param kind: "postgresql" or "mariadb".
    """

    def __init__(self, kind, host, port):
        self.framing = FRAMINGS[kind]
        self.target = (host, port)
        self.lock = threading.Lock()
        self.sockets = set()
        self.reset()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def reset(self, fault=None, at=0, delay=0.0, piece=0, quiet=0.0):
        """Forget the counts.

        :param fault: one of FAULTS, at the message `at`.
        :param delay: seconds before each message.
        :param piece: bytes that are sent at once; 0: all.
        :param quiet: seconds for which nobody says anything before answers are passed on: `turns` then counts how often
            the client waits for the server, round trips.
        """
        with self.lock:
            self.fault, self.at, self.delay, self.piece, self.quiet = fault, at, delay, piece, quiet
            self.messages = 0
            self.turns = 0
            self.spoken = time.monotonic()
            self.happened = False

    def close(self):
        close_socket(self.listener)  # ends accept()
        self.drop()

    def drop(self):
        """Close all connections."""
        with self.lock:
            sockets, self.sockets = self.sockets, set()
        for one in sockets:
            close_socket(one)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.sockets |= {client, server}
            threading.Thread(target=self.from_client, args=(client, server), daemon=True).start()
            threading.Thread(target=self.from_server, args=(client, server), daemon=True).start()

    def both(self, client, server):
        with self.lock:
            self.sockets -= {client, server}
        close_socket(client)
        close_socket(server)

    def wait_for_quiet(self, server):
        """What the server says further, until nobody has said anything for a while."""
        more = b""
        server.settimeout(self.quiet)
        while True:
            try:
                data = server.recv(65536)
                if not data:
                    break
                more += data
            except TimeoutError:
                if time.monotonic() - self.spoken >= self.quiet:
                    break
        server.settimeout(None)
        with self.lock:
            self.turns += 1
        return more

    def stalled(self):
        return self.happened and self.fault in ("stall", "half")

    def from_client(self, client, server):
        try:
            while data := client.recv(65536):
                self.spoken = time.monotonic()
                if not self.stalled():
                    server.sendall(data)
        except OSError:
            pass
        self.both(client, server)

    def from_server(self, client, server):
        framing = self.framing()
        try:
            while data := server.recv(65536):
                if self.quiet:
                    data += self.wait_for_quiet(server)
                for message in framing.take(data):
                    if not self.pass_on(client, message):
                        break
        except OSError:
            pass
        if not self.stalled():
            self.both(client, server)

    def pass_on(self, client, message):
        """Send a message, or do what is to happen instead; False: the connection is over."""
        with self.lock:
            self.messages += 1
            now = self.fault is not None and self.messages == self.at
            self.happened = self.happened or now
        if now and self.fault in ("truncate", "half"):
            client.sendall(message[: len(message) // 2])
        if now and self.fault == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        if self.happened and self.fault is not None:
            return False
        if self.delay:
            time.sleep(self.delay)
        step = self.piece or len(message)
        for first in range(0, len(message), step):
            client.sendall(message[first : first + step])
        return True
