"""The demo's steps by hand, with Python's sqlite3 only: what the other two programs are measured beside.

usage: plain.py store|load|ask|change|see FILE
"""

import sqlite3
import sys
import time

import records

SCHEMA = """
CREATE TABLE countries (id INTEGER PRIMARY KEY, code VARCHAR(2) NOT NULL UNIQUE, name VARCHAR(200) NOT NULL,
    flag VARCHAR(8));
CREATE TABLE scripts (id INTEGER PRIMARY KEY, code VARCHAR(4) NOT NULL UNIQUE, name VARCHAR(200) NOT NULL);
CREATE TABLE currencies (id INTEGER PRIMARY KEY, code VARCHAR(3) NOT NULL UNIQUE, name VARCHAR(200) NOT NULL,
    symbol VARCHAR(4));
CREATE TABLE languages (id INTEGER PRIMARY KEY, code VARCHAR(3) NOT NULL UNIQUE, name VARCHAR(200) NOT NULL,
    script_id INTEGER REFERENCES scripts (id));
CREATE TABLE subdivisions (id INTEGER PRIMARY KEY, code VARCHAR(6) NOT NULL UNIQUE, name VARCHAR(200) NOT NULL,
    kind VARCHAR(80) NOT NULL, country_id INTEGER NOT NULL REFERENCES countries (id),
    parent_id INTEGER REFERENCES subdivisions (id));
CREATE INDEX ix_subdivisions_country_id ON subdivisions (country_id);
CREATE INDEX ix_subdivisions_parent_id ON subdivisions (parent_id);
CREATE TABLE country_currencies (country_id INTEGER NOT NULL REFERENCES countries (id),
    currency_id INTEGER NOT NULL REFERENCES currencies (id), PRIMARY KEY (country_id, currency_id));
CREATE TABLE country_languages (country_id INTEGER NOT NULL REFERENCES countries (id),
    language_id INTEGER NOT NULL REFERENCES languages (id), PRIMARY KEY (country_id, language_id));
"""
MOST = """SELECT c.name, count(s.id) FROM countries c JOIN subdivisions s ON s.country_id = c.id
    GROUP BY c.id ORDER BY count(s.id) DESC, c.name LIMIT 5"""
WIDEST = """SELECT l.name, count(x.country_id) FROM languages l JOIN country_languages x ON x.language_id = l.id
    GROUP BY l.id HAVING count(x.country_id) > 3 ORDER BY count(x.country_id) DESC, l.name"""
REGIONS = """SELECT s.id, s.name FROM subdivisions s JOIN countries c ON c.id = s.country_id
    WHERE c.code = 'BE' AND s.parent_id IS NULL ORDER BY s.code"""
LIMBURG = """SELECT s.name, p.name, c.name FROM subdivisions s JOIN subdivisions p ON p.id = s.parent_id
    JOIN countries c ON c.id = p.country_id WHERE s.code = 'BE-VLI'"""
SCRIPTS = """SELECT l.name, s.code FROM languages l JOIN country_languages x ON x.language_id = l.id
    JOIN countries c ON c.id = x.country_id JOIN scripts s ON s.id = l.script_id WHERE c.code = 'IN' ORDER BY l.name"""
GERMAN = """SELECT c.id, c.name FROM countries c WHERE EXISTS (SELECT 1 FROM country_languages x JOIN languages l
    ON l.id = x.language_id WHERE x.country_id = c.id AND l.code = 'deu') ORDER BY c.name"""
PAID = """SELECT x.country_id, m.code FROM country_currencies x JOIN currencies m ON m.id = x.currency_id
    WHERE x.country_id IN ({}) ORDER BY m.code"""
EURO = "'AT','BE','CY','DE','EE','ES','FI','FR','GR','HR','IE','IT','LT','LU','LV','MT','NL','PT','SI','SK'"


def store(database: sqlite3.Connection) -> None:
    """Rows in the order that foreign keys want, keys handed out by hand."""
    countries, currencies = records.read("3166-1"), records.read("4217")
    subdivisions, languages, scripts = records.read("3166-2"), records.read("639-3"), records.read("15924")
    spoken = records.spoken()
    database.executescript(SCHEMA)
    start = time.perf_counter()
    country = {r["alpha_2"]: key for key, r in enumerate(countries, 1)}
    place = {r["code"]: key for key, r in enumerate(subdivisions, 1)}
    by_name: dict[str, int] = {}
    for key, r in enumerate(scripts, 1):
        if "variant" not in r["name"]:
            by_name[r["name"].split(" (")[0]] = key
    language: dict[str | None, int] = {}
    for key, r in enumerate(languages, 1):
        language[r["alpha_3"]] = language[r.get("alpha_2")] = key
    database.executemany(
        "INSERT INTO countries (id, code, name, flag) VALUES (?, ?, ?, ?)",
        [(key, r["alpha_2"], r["name"], r.get("flag")) for key, r in enumerate(countries, 1)],
    )
    database.executemany(
        "INSERT INTO scripts (id, code, name) VALUES (?, ?, ?)",
        [(key, r["alpha_4"], r["name"]) for key, r in enumerate(scripts, 1)],
    )
    database.executemany(
        "INSERT INTO currencies (id, code, name) VALUES (?, ?, ?)",
        [(key, r["alpha_3"], r["name"]) for key, r in enumerate(currencies, 1)],
    )
    database.executemany(
        "INSERT INTO languages (id, code, name, script_id) VALUES (?, ?, ?, ?)",
        [(key, r["alpha_3"], r["name"], by_name.get(r["name"])) for key, r in enumerate(languages, 1)],
    )
    database.executemany(
        "INSERT INTO subdivisions (id, code, name, kind, country_id, parent_id) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (key, r["code"], r["name"], r["type"], country[r["code"][:2]], place.get(records.parent_code(r, place)))
            for key, r in enumerate(subdivisions, 1)
        ],
    )
    database.executemany(
        "INSERT INTO country_languages (country_id, language_id) VALUES (?, ?)",
        [(country[c], language[code]) for code, c in spoken if code in language and c in country],
    )
    database.executemany(
        "INSERT INTO country_currencies (country_id, currency_id) VALUES (?, ?)",
        [(country[r["alpha_3"][:2]], key) for key, r in enumerate(currencies, 1) if r["alpha_3"][:2] in country],
    )
    database.commit()
    tell("store", start)


def load(database: sqlite3.Connection) -> None:
    """Two lists of tuples, joined in a dictionary."""
    start = time.perf_counter()
    countries = database.execute("SELECT id, code, name, flag FROM countries").fetchall()
    places: dict[int, list[tuple[object, ...]]] = {country[0]: [] for country in countries}
    rows = database.execute(
        "SELECT id, code, name, kind, country_id, parent_id FROM subdivisions ORDER BY code"
    ).fetchall()
    for row in rows:
        places[row[4]].append(row)
    assert sum(len(places[country[0]]) for country in countries) == len(rows)
    tell("load", start)


def paid(database: sqlite3.Connection) -> None:
    print("What they pay with where German is spoken:")
    countries = database.execute(GERMAN).fetchall()
    money: dict[int, list[str]] = {key: [] for key, name in countries}
    for key, code in database.execute(PAID.format(",".join("?" * len(countries))), [key for key, name in countries]):
        money[key].append(code)
    for key, name in countries:
        print(f"  {name}: {', '.join(money[key]) or '-'}")


def ask(database: sqlite3.Connection) -> None:
    start = time.perf_counter()
    print("Most subdivisions:")
    for name, count in database.execute(MOST):
        print(f"  {name}: {count}")
    print("Spoken in most countries:")
    for name, count in database.execute(WIDEST):
        print(f"  {name}: {count}")
    print("The regions of Belgium and their parts:")
    for key, name in database.execute(REGIONS).fetchall():
        parts = database.execute("SELECT name FROM subdivisions WHERE parent_id = ? ORDER BY code", (key,))
        print(f"  {name}: {', '.join(part for (part,) in parts) or '-'}")
    name, parent, country = database.execute(LIMBURG).fetchone()
    print(f"{name} lies in {parent}, {country}")
    print("Languages of India with a script of their own name:")
    for name, code in database.execute(SCRIPTS):
        print(f"  {name}: {code}")
    paid(database)
    tell("ask", start)


def change(database: sqlite3.Connection) -> None:
    start = time.perf_counter()
    (euro,) = database.execute("SELECT id FROM currencies WHERE code = 'EUR'").fetchone()
    (kuna,) = database.execute("SELECT id FROM currencies WHERE code = 'HRK'").fetchone()
    database.execute("UPDATE currencies SET symbol = '€' WHERE id = ?", (euro,))
    keys = database.execute(f"SELECT id FROM countries WHERE code IN ({EURO})").fetchall()
    database.executemany("INSERT INTO country_currencies VALUES (?, ?)", [(key, euro) for (key,) in keys])
    database.execute("DELETE FROM country_currencies WHERE currency_id = ?", (kuna,))
    database.execute("DELETE FROM currencies WHERE id = ?", (kuna,))
    database.commit()
    print(f"Euro €: {len(keys)} countries")
    tell("change", start)


def see(database: sqlite3.Connection) -> None:
    start = time.perf_counter()
    key, name, symbol = database.execute("SELECT id, name, symbol FROM currencies WHERE code = 'EUR'").fetchone()
    countries = database.execute(
        "SELECT c.name FROM countries c JOIN country_currencies x ON x.country_id = c.id"
        " WHERE x.currency_id = ? ORDER BY c.name",
        (key,),
    )
    print(f"{name} {symbol}: {', '.join(country for (country,) in countries)}")
    (kunas,) = database.execute("SELECT count(*) FROM currencies WHERE code = 'HRK'").fetchone()
    print(f"Kunas left: {kunas}")
    paid(database)
    tell("see", start)


def tell(name: str, start: float) -> None:
    print(f"{name}: {(time.perf_counter() - start) * 1e3:.1f} ms", file=sys.stderr, flush=True)


if __name__ == "__main__":
    what, file = sys.argv[1:]
    {"store": store, "load": load, "ask": ask, "change": change, "see": see}[what](sqlite3.connect(file))
