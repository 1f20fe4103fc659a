"""Servers that lie: whatever they send, the program gets an error in time or a value, the connection is not used again
where its state is unknown, and the next one works. The servers are scripts: see tests/servers/scripted.py.
"""

import os
import pathlib
import random
import struct
import sys

import pytest
from cormorant import create_engine, exc, text
from databases import KIND
from test_broken_network import in_time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))

import scripted  # noqa: E402 -- the path is set first

pytestmark = pytest.mark.database("postgresql", "mariadb")

RANDOM_LIES = int(os.environ.get("CORM_LIES", "30"))
ARGUMENTS = "connect_timeout=0.2&read_timeout=0.2"
length_of = scripted.text_of
BIG = 1 << 40


@pytest.fixture
def start():
    """start(columns, rows, lie): an engine on a scripted server."""
    made = []

    def start(columns, rows, lie=lambda name, message: message):
        server = {"postgresql": scripted.PostgreSQL, "mariadb": scripted.MariaDB}[KIND](columns, rows, lie)
        engine = create_engine(server.url(ARGUMENTS), pool_size=1, max_overflow=0)
        engine.server = server
        made.append(engine)
        return engine

    yield start
    for engine in made:
        engine.dispose()
        engine.server.close()


def rows_of(engine):
    with engine.connect() as connection:
        return connection.execute(text("SELECT what")).all()


class Once:
    """Replaces the first message of a name by `change(message)`; later ones are true."""

    def __init__(self, name, change):
        self.name, self.change, self.told = name, change, False

    def __call__(self, name, message):
        if name != self.name or self.told:
            return message
        self.told = True
        return self.change(message)


PLAIN = {
    "postgresql": ([("n", 23, 4, 1), ("t", 25, -1, 1)], [(struct.pack("!i", 7), b"seven"), (None, b"\xc3\xa9")]),
    "mariadb": ([("n", 3, 0, 63), ("t", 253, 0, 45)], [(struct.pack("<i", 7), length_of(b"seven")),
                                                      (None, length_of(b"\xc3\xa9"))]),
}  # fmt: skip
TRUTH = [(7, "seven"), (None, "é")]


def pg(kind, body=b"", size=None):
    return kind + struct.pack("!i", len(body) + 4 if size is None else size) + body


def my(body, number=1, size=None):
    return (len(body) if size is None else size).to_bytes(3, "little") + bytes([number]) + body


def again(message, body):
    """A packet of MariaDB's with another body and the same number."""
    return my(body, message[3])


# (name of the message, what is sent instead; the word for the test)
LIES = {
    "postgresql": {
        "silence for an authentication": ("authentication", lambda m: None),
        "an authentication that nobody knows": ("authentication", lambda m: pg(b"R", struct.pack("!I", 99))),
        "an authentication without a kind": ("authentication", lambda m: pg(b"R")),
        "md5 with half of its salt": ("authentication", lambda m: pg(b"R", struct.pack("!I", 5) + b"ab")),
        "SASL without mechanisms": ("authentication", lambda m: pg(b"R", struct.pack("!I", 10) + b"\0")),
        "SASL of another kind": ("authentication", lambda m: pg(b"R", struct.pack("!I", 10) + b"PLAIN\0\0")),
        "the end of SASL first": ("authentication", lambda m: pg(b"R", struct.pack("!I", 12) + b"v=AAAA")),
        "a page of the web": ("authentication", lambda m: b"HTTP/1.1 400 Bad Request\r\n\r\n<html>"),
        "a parameter without a value": ("parameter", lambda m: pg(b"S", b"server_version\0")),
        "a parameter without an end": ("parameter", lambda m: pg(b"S", b"server_version\x0015.4")),
        "a key without numbers": ("key", lambda m: pg(b"K")),
        "no end of connecting": ("ready", lambda m: None),
        "rows before there are columns": ("columns", lambda m: b""),
        "a length of zero": ("row", lambda m: pg(b"D", b"", 0)),
        "a length below zero": ("row", lambda m: pg(b"D", b"", -5)),
        "a length of two gigabytes": ("row", lambda m: pg(b"D", b"\0\2", 0x7FFFFFFF)),
        "a short message with a long length": ("complete", lambda m: pg(b"C", b"x", 0x70000000)),
        "a length that is too short": ("row", lambda m: m[:1] + struct.pack("!i", 8) + m[5:]),
        "a message that nobody knows": ("row", lambda m: pg(b"~", b"what")),
        "a row of one column": ("row", lambda m: pg(b"D", struct.pack("!HI", 1, 4) + b"aaaa")),
        "a row of 60,000 columns": ("row", lambda m: pg(b"D", struct.pack("!HI", 60000, 4) + b"aaaa")),
        "a value longer than its message": ("row", lambda m: pg(b"D", struct.pack("!HIi", 2, 400, 7) + b"a")),
        "a value of a negative length": ("row", lambda m: pg(b"D", struct.pack("!HiI", 2, -2, 0))),
        "a number of three bytes": ("row", lambda m: pg(b"D", struct.pack("!HI", 2, 3) + b"aaa\xff\xff\xff\xff")),
        "60,000 columns that are not there": ("columns", lambda m: pg(b"T", struct.pack("!H", 60000))),
        "a column without a name": ("columns", lambda m: pg(b"T", struct.pack("!H", 1) + b"abc")),
        "more parameters than there are": ("parameters", lambda m: pg(b"t", struct.pack("!HII", 2, 23, 23))),
        "parameters without types": ("parameters", lambda m: pg(b"t", struct.pack("!H", 9))),
        "an end of a command that never began": ("parsed", lambda m: pg(b"C", b"SELECT 1\0")),
        "no end of the command": ("complete", lambda m: b""),
        "silence in the middle of rows": ("row", lambda m: None),
        "copying in, unasked": ("columns", lambda m: pg(b"G", b"\0\0\0")),
        "copying out, unasked": ("columns", lambda m: pg(b"H", b"\0\0\0")),
        "copying both ways, unasked": ("columns", lambda m: pg(b"W", b"\0\0\0")),
        "a function's result": ("row", lambda m: pg(b"V", struct.pack("!i", 3) + b"abc")),
        "an error without fields": ("row", lambda m: pg(b"E", b"\0")),
        "an error without an end": ("row", lambda m: pg(b"E", b"SERROR\0MBAD")),
        "an error that is no UTF-8": ("row", lambda m: pg(b"E", b"SERROR\0C42P01\0M\xff\xfe\0\0")),
        "an error with a long state": ("row", lambda m: pg(b"E", b"SERROR\0C" + b"4" * 500 + b"\0Mx\0\0")),
        "being ready in the middle": ("row", lambda m: pg(b"Z", b"I") + m),
        "being in a state that nobody knows": ("ready", lambda m: pg(b"Z", b"?")),
    },
    "mariadb": {
        "silence for a greeting": ("greeting", lambda m: None),
        "an empty greeting": ("greeting", lambda m: again(m, b"")),
        "a greeting of version 9": ("greeting", lambda m: again(m, b"\x09" + m[5:])),
        "a greeting without its end": ("greeting", lambda m: again(m, m[4:12])),
        "a greeting without a salt": ("greeting", lambda m: again(m, m[4:40])),
        "a page of the web": ("greeting", lambda m: b"HTTP/1.1 400 Bad Request\r\n\r\n<html>"),
        "an error for a greeting": ("greeting", lambda m: again(m, b"\xff\x10\x04Too many connections")),
        "half an error for a greeting": ("greeting", lambda m: again(m, b"\xff")),
        "a switch to a plug-in that nobody knows": ("ok", lambda m: again(m, b"\xfenobody_knows\0salt\0")),
        "a switch to a plug-in outside of its folder": ("ok", lambda m: again(m, b"\xfe../../../tmp/evil\0salt\0")),
        "a switch to sending the password": ("ok", lambda m: again(m, b"\xfemysql_clear_password\0")),
        "a switch to a plug-in without an end": ("ok", lambda m: again(m, b"\xfeab")),
        "an empty answer": ("ok", lambda m: again(m, b"")),
        "an answer without its numbers": ("ok", lambda m: again(m, b"\0")),
        "an answer with a number cut off": ("ok", lambda m: again(m, b"\0\xfe\1")),
        "half an answer to preparing": ("prepared", lambda m: again(m, m[4:9])),
        "parameters that are not there": ("prepared", lambda m: again(m, m[4:11] + b"\7\0" + m[13:])),
        "more columns than come": ("prepared", lambda m: again(m, m[4:9] + b"\xff\xff" + m[11:])),
        "fewer columns than come": ("prepared", lambda m: again(m, m[4:9] + b"\1\0" + m[11:])),
        "no number of columns": ("count", lambda m: again(m, b"")),
        "other columns than prepared": ("count", lambda m: again(m, b"\1")),
        "more columns than memory": ("count", lambda m: again(m, b"\xfe" + struct.pack("<Q", BIG))),
        "a request for a file of ours": ("count", lambda m: again(m, b"\xfb/etc/passwd")),
        "a column without an end": ("column", lambda m: again(m, m[4:12])),
        "a column whose name is too long": ("column", lambda m: again(m, b"\3def\xfc\xff\xff")),
        "a column of 2^40 bytes": ("column", lambda m: again(m, b"\3def\xfe" + struct.pack("<Q", BIG))),
        "no end of columns": ("end", lambda m: b""),
        "a row of nothing": ("row", lambda m: again(m, b"")),
        "a row with half of its NULLs": ("row", lambda m: again(m, b"\0")),
        "a row with a number of three bytes": ("row", lambda m: again(m, b"\0\0abc")),
        "a text longer than its row": ("row", lambda m: again(m, b"\0\0\7\0\0\0\xfa123")),
        "a text of 2^64 - 1 bytes": ("row", lambda m: again(m, b"\0\0\7\0\0\0\xfe" + b"\xff" * 8)),
        "a text whose length is a NULL": ("row", lambda m: again(m, b"\0\0\7\0\0\0\xfb")),
        "a row that is not over": ("row", lambda m: my(m[4:], m[3], 0xFFFFFF)),
        "a row out of order": ("row", lambda m: my(m[4:], m[3] + 5)),
        "silence in the middle of rows": ("row", lambda m: None),
        "an error in the middle of rows": ("row", lambda m: again(m, b"\xff\x51\x04#70100interrupted")),
        "half an error in the middle of rows": ("row", lambda m: again(m, b"\xff\x51")),
        "an error that is no UTF-8": ("row", lambda m: again(m, b"\xff\x51\x04#70100\xff\xfe\xfd")),
    },
}  # fmt: skip

# What is no lie to the client library: it ends well, or is a matter of taste.
HARMLESS = {
    "an authentication without a kind", "a parameter without a value", "a parameter without an end",
    "a key without numbers", "being in a state that nobody knows", "a function's result", "being ready in the middle",
    "an answer without its numbers", "an answer with a number cut off", "an empty answer", "fewer columns than come",
    "parameters that are not there", "more parameters than there are", "a greeting without its end",
    "a greeting without a salt", "a row out of order", "a value of a negative length",
    "an end of a command that never began",
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES.get(KIND, {}))
def test_a_lie_is_an_error_in_time_and_the_next_connection_works(start, lie):
    name, change = LIES[KIND][lie]
    engine = start(*PLAIN[KIND], Once(name, change))
    assert in_time(lambda: outcome_of(engine)) is not None or lie in HARMLESS
    assert in_time(lambda: rows_of(engine)) == TRUTH


def outcome_of(engine):
    """The error's class, or None; other exceptions than a database's are not caught."""
    try:
        rows_of(engine)
    except exc.DBAPIError as error:
        assert "secret" not in repr(error) + str(error)
        assert str(error.orig) and type(error.orig).__module__ != "sqlite3", error
        return type(error)
    return None


TYPES = {
    "postgresql": (16, 17, 18, 20, 21, 23, 25, 26, 114, 700, 701, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950,
                   3802, 1007, 3904, 869, 1560, 790, 999999, 1000, 1009, 1115, 1182, 1187, 1231, 2951, 3807, 199, 3906,
                   3908, 3910, 3912, 3926, 4451, 4532, 1562, 829, 774, 650),
    "mariadb": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 245, 246, 247, 248, 249, 250, 251,
                252, 253, 254, 255, 77),
}  # fmt: skip


def random_bytes(chance, longest):
    """Of the kinds that decoders trip over: edges, digits, anything."""
    size = chance.randrange(longest)
    kind = chance.randrange(4)
    if kind == 0:
        return bytes(chance.choice((0, 1, 0x7F, 0x80, 0xFF)) for _ in range(size))
    if kind == 1:
        return bytes(chance.choice(b"0123456789-+.:eE {}[](),\"\\xNaInfty") for _ in range(size))
    return bytes(chance.randrange(256) for _ in range(size))


@pytest.mark.parametrize("number", TYPES.get(KIND, ()))
def test_a_value_of_any_bytes_is_a_value_or_an_error(start, number):
    """Whatever type the server says that it is."""
    chance = random.Random(number)
    engine = start([], [])
    server = engine.server
    for _ in range(40):
        form = chance.randrange(2)
        column = ("n", number, -1, form) if KIND == "postgresql" else ("n", number, form * 32, chance.choice((63, 45)))
        server.columns = [column, column]
        server.rows = [(random_bytes(chance, 24), random_bytes(chance, 24)) for _ in range(3)]
        try:
            for row in in_time(lambda: rows_of(engine)):
                repr(row)
        except (exc.DBAPIError, UnicodeDecodeError):
            pass
    server.columns, server.rows = PLAIN[KIND]
    assert in_time(lambda: rows_of(engine)) == TRUTH


def garbled(message, chance):
    """A message with some bytes changed, cut, repeated, or of another length."""
    told = bytearray(message)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(told)) if told else 0
        how = chance.randrange(5)
        if how == 0 and told:
            told[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, chance.randrange(256)))
        elif how == 1:
            del told[at:]
        elif how == 2:
            told[at:at] = random_bytes(chance, 12)
        elif how == 3:
            told += told[at:]
        else:
            told[at : at + 4] = struct.pack("!i", chance.choice((0, -1, 3, 255, 65536, 0x7FFFFFFF, -0x80000000)))
    return bytes(told)


def test_whatever_is_changed_in_a_message_the_next_connection_works(start, capsys):
    chance = random.Random(4)
    outcomes = {}
    turn = {"at": None, "count": 0}

    def lie(name, message):
        turn["count"] += 1
        return garbled(message, chance) if turn["count"] == turn["at"] else message

    engine = start(*PLAIN[KIND], lie)
    assert rows_of(engine) == TRUTH
    messages = turn["count"]
    for _ in range(RANDOM_LIES):
        engine.dispose()
        turn.update(at=chance.randrange(1, messages + 1), count=0)
        try:
            rows = in_time(lambda: rows_of(engine))
            outcome = "right" if rows == TRUTH else "changed"
        except (exc.DBAPIError, exc.ResourceClosedError, UnicodeDecodeError) as error:
            outcome = type(error).__name__
        turn["at"] = None
        try:
            assert in_time(lambda: rows_of(engine)) == TRUTH
        except exc.SQLAlchemyError:  # the lie was in what came after the rows, or in what a statement is like
            engine.dispose()
            assert in_time(lambda: rows_of(engine)) == TRUTH
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    with capsys.disabled():
        print(f"\nlies: {RANDOM_LIES} changed messages: {outcomes}")
