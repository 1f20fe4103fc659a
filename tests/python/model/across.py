"""Runs the same programs on SQLite, PostgreSQL and MariaDB: the rows that each leaves are equal, and the model's.

usage: python tests/servers/run.py --postgresql --mariadb -- python -m model.across [--from SEED] [--count N]
"""

import argparse
import json
import sys

import databases

from .generate import generate
from .mapped import Mapping
from .runner import report, run
from .world import State


def dump(state: State) -> str:
    """What is stored, told the same way by every database: objects in the order of their labels, pairs in theirs."""
    return json.dumps([sorted(state.objects.items()), sorted(state.pairs)], ensure_ascii=False)


def compare(mappings: dict[str, Mapping], seed: int) -> str | None:
    """What is wrong with a program, or None."""
    dumps = {}
    for name, mapping in mappings.items():
        wrong, rows = run(mapping, generate(seed))
        if wrong is not None or rows is None:
            return f"on {name}: {report(mapping, generate(seed))}"
        dumps[name] = dump(rows)
    if len(set(dumps.values())) != 1:
        return "\n".join([f"{generate(seed)}", *(f"{name} has {text}" for name, text in dumps.items())])
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description="Run random programs on every database and compare what they leave.")
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    made = {name: kind() for name, kind in databases.KINDS.items()}
    try:
        mappings = {name: Mapping("cormorant", database.url()) for name, database in made.items()}
        for seed in range(options.first, options.first + options.count):
            wrong = compare(mappings, seed)
            if wrong is not None:
                print(wrong)
                return 1
        for mapping in mappings.values():
            mapping.engine.dispose()
    finally:
        for database in made.values():
            database.close()
    print(f"programs: {options.count} generated, each on {', '.join(mappings)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
