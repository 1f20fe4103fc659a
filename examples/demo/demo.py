"""The demo in Python: store what iso-codes knows, ask it questions, see what the C program changed.

usage: [ECHO=1] demo.py store|load|ask|see URL
"""

import logging
import os
import sys
import time
from contextlib import contextmanager
from collections.abc import Iterator

import records
from model import Base, Country, Currency, Language, Script, Subdivision

from cormorant import Engine, create_engine, func, select
from cormorant.orm import Session, joinedload, selectinload


@contextmanager
def step(name: str) -> Iterator[None]:
    """Tell on standard error how long a step took."""
    start = time.perf_counter()
    yield
    print(f"{name}: {(time.perf_counter() - start) * 1e3:.1f} ms", file=sys.stderr, flush=True)


def store(engine: Engine) -> None:
    """Turn the JSON into objects that refer to each other; the session works out rows, keys and their order."""
    countries, currencies = records.read("3166-1"), records.read("4217")
    subdivisions, languages, scripts = records.read("3166-2"), records.read("639-3"), records.read("15924")
    spoken = records.spoken()
    Base.metadata.create_all(engine)
    with step("store"), Session(engine) as session:
        country = {r["alpha_2"]: Country(code=r["alpha_2"], name=r["name"], flag=r.get("flag")) for r in countries}
        script = {r["alpha_4"]: Script(code=r["alpha_4"], name=r["name"]) for r in scripts}
        by_name = {made.name.split(" (")[0]: made for made in script.values() if "variant" not in made.name}

        place = {}
        for r in subdivisions:
            place[r["code"]] = Subdivision(
                code=r["code"], name=r["name"], kind=r["type"], country=country[r["code"][:2]]
            )
        for r in subdivisions:
            place[r["code"]].parent = place.get(records.parent_code(r, place))

        language = {}
        for r in languages:
            made = Language(code=r["alpha_3"], name=r["name"], script=by_name.get(r["name"]))
            language[r["alpha_3"]] = language[r.get("alpha_2")] = made
        for language_code, country_code in spoken:
            if language_code in language and country_code in country:
                country[country_code].languages.append(language[language_code])

        currency = {r["alpha_3"]: Currency(code=r["alpha_3"], name=r["name"]) for r in currencies}
        for code, made in currency.items():  # the first two letters are the country's, where there is one
            if code[:2] in country:
                made.countries.append(country[code[:2]])

        session.add_all([*country.values(), *script.values(), *language.values(), *currency.values()])
        session.commit()  # the subdivisions come along with their countries


def load(engine: Engine) -> None:
    """Load every country with its subdivisions and walk them."""
    with step("load"), Session(engine) as session:
        everything = select(Country).options(selectinload(Country.subdivisions))
        places = sum(len(country.subdivisions) for country in session.scalars(everything))
    assert places > 5000, places


def ask(engine: Engine) -> None:
    """Questions that need joins, aggregates, the self-reference and the many-to-many; demo.c asks the same."""
    with step("ask"), Session(engine) as session:
        print("Most subdivisions:")
        number = func.count(Subdivision.id)
        most = select(Country.name, number).join(Country.subdivisions).group_by(Country.id)
        for name, count in session.execute(most.order_by(number.desc(), Country.name).limit(5)):
            print(f"  {name}: {count}")

        print("Spoken in most countries:")
        number = func.count(Country.id)
        widest = select(Language.name, number).join(Language.countries).group_by(Language.id).having(number > 3)
        for name, count in session.execute(widest.order_by(number.desc(), Language.name)):
            print(f"  {name}: {count}")

        print("The regions of Belgium and their parts:")
        regions = select(Subdivision).join(Subdivision.country).order_by(Subdivision.code)
        regions = regions.where(Country.code == "BE", Subdivision.parent_id.is_(None))
        for region in session.scalars(regions.options(selectinload(Subdivision.parts))):
            print(f"  {region.name}: {', '.join(part.name for part in region.parts) or '-'}")

        limburg = session.scalars(select(Subdivision).filter_by(code="BE-VLI")).one()
        print(f"{limburg.name} lies in {limburg.parent.name}, {limburg.parent.country.name}")

        print("Languages of India with a script of their own name:")
        own = select(Language).join(Language.countries).join(Language.script).where(Country.code == "IN")
        for language in session.scalars(own.options(joinedload(Language.script)).order_by(Language.name)):
            print(f"  {language.name}: {language.script.code}")

        print_german_money(session)


def print_german_money(session: Session) -> None:
    print("What they pay with where German is spoken:")
    german = select(Country).where(Country.languages.any(Language.code == "deu")).order_by(Country.name)
    for country in session.scalars(german.options(selectinload(Country.currencies))):
        print(f"  {country.name}: {', '.join(c.code for c in country.currencies) or '-'}")


def see(engine: Engine) -> None:
    """What demo.c changed: the euro has its sign and its countries, the kuna is gone."""
    with step("see"), Session(engine) as session:
        euro = session.scalars(select(Currency).filter_by(code="EUR")).one()
        print(f"{euro.name} {euro.symbol}: {', '.join(country.name for country in euro.countries)}")
        kunas = session.scalar(select(func.count()).select_from(Currency).filter_by(code="HRK"))
        print(f"Kunas left: {kunas}")
        print_german_money(session)


if __name__ == "__main__":
    what, url = sys.argv[1:]
    if "ECHO" in os.environ:  # the SQL, on standard error
        logging.basicConfig(format="%(message)s")
        logging.getLogger("sqlalchemy.engine").setLevel(logging.INFO)
    engine = create_engine(url)
    {"store": store, "load": load, "ask": ask, "see": see}[what](engine)
