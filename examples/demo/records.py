"""The demo's data: what Debian's iso-codes package says, and which language is spoken where by Python's own locales."""

import json
import locale
import re
from typing import Any
from collections.abc import Container

DIRECTORY = "/usr/share/iso-codes/json"


def read(standard: str) -> list[dict[str, Any]]:
    """The records of one standard, such as "3166-1"."""
    with open(f"{DIRECTORY}/iso_{standard}.json", encoding="utf-8") as file:
        records: list[dict[str, Any]] = json.load(file)[standard]
    return records


def parent_code(record: dict[str, Any], codes: Container[str]) -> str:
    """The full code of a subdivision's parent ("NX" of "AZ-BAB" is "AZ-NX"), or an empty string."""
    parent: str = record.get("parent", "")
    return parent if not parent or parent in codes else record["code"][:3] + parent


def spoken() -> list[tuple[str, str]]:
    """Pairs of a language's and a country's code for which a locale exists: ("de", "AT")."""
    found = {re.match(r"([a-z]{2,3})_([A-Z]{2})\b", name) for name in locale.locale_alias.values()}
    return sorted({match.group(1, 2) for match in found if match})  # type: ignore[misc]
