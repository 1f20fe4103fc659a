"""What all programs share: the operations of tortoise's public ORM benchmark, and the rows that they write."""

from urllib.parse import urlsplit

# What an operation is given (a count of rows, keys, objects that were loaded before, nothing), and what it is called.
OPERATIONS = {
    "insert_single": ("count", "A insert, each row a transaction"),
    "insert_batch": ("count", "B insert, many in a transaction"),
    "insert_bulk": ("count", "C insert in bulk"),
    "filter_large": ("none", "D filter, all rows of a level"),
    "filter_small": ("count", "E filter, 20 rows"),
    "get": ("keys", "F get by key"),
    "filter_dicts": ("none", "G filter as dicts"),
    "filter_tuples": ("none", "H filter as tuples"),
    "update_whole": ("objects", "I update whole objects"),
    "update_part": ("objects", "J update one column"),
    "delete": ("objects", "K delete"),
}
LEVELS = (10, 20, 30, 40, 50)
TABLE_ROWS = 3  # times the count: A, B and C have each inserted so many
PAGE = 20


def level_of(number):
    return LEVELS[number % len(LEVELS)]


def text_of(number):
    return f"Insert from here, item {number}"


def pages(count):
    """The level and first row of each page that is asked for."""
    return [(level, number * 7 % (count // 5)) for level in LEVELS for number in range(20)]


def parts(url):
    """Kind of database, then host, port, user, password, name of the database (of SQLite: the file)."""
    split = urlsplit(url)
    kind = split.scheme.split("+")[0]
    if kind == "sqlite":
        return kind, None, None, None, None, url.split(":///", 1)[1]
    return kind, split.hostname, split.port, split.username, split.password, split.path[1:]
