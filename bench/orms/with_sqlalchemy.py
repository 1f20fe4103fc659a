"""SQLAlchemy, and Cormorant as the same program (with_cormorant.py)."""

import importlib
from datetime import datetime

from journal import LEVELS, PAGE, level_of, pages, text_of

PEERS = {"postgresql": "postgresql+psycopg", "mariadb": "mysql+mysqldb", "sqlite": "sqlite"}


class Program:
    package = "sqlalchemy"

    def __init__(self, url):
        self.sql = importlib.import_module(self.package)
        self.orm = importlib.import_module(self.package + ".orm")
        kind = url[: url.index(":")]
        self.url = url if self.package == "cormorant" else PEERS[kind] + url[len(kind) :]

    def start(self):
        sql, Base = self.sql, self.orm.declarative_base()

        class Journal(Base):
            __tablename__ = "journal_" + self.package
            id = sql.Column(sql.Integer, primary_key=True)
            timestamp = sql.Column(sql.DateTime, default=datetime.now, nullable=False)
            level = sql.Column(sql.SmallInteger, index=True, nullable=False)
            text = sql.Column(sql.String(255), index=True, nullable=False)

        self.Journal, self.metadata = Journal, Base.metadata
        self.engine = sql.create_engine(self.url)
        self.Session = self.orm.sessionmaker(self.engine)

    def create(self):
        self.metadata.drop_all(self.engine)
        self.metadata.create_all(self.engine)

    def insert_single(self, count):
        with self.Session() as session:
            for number in range(count):
                session.add(self.Journal(level=level_of(number), text=text_of(number)))
                session.commit()

    def insert_batch(self, count):
        with self.Session() as session:
            for number in range(count):
                session.add(self.Journal(level=level_of(number), text=text_of(number)))
            session.commit()

    def insert_bulk(self, count):
        with self.Session() as session:
            rows = [{"level": level_of(number), "text": text_of(number)} for number in range(count)]
            session.execute(self.sql.insert(self.Journal), rows)
            session.commit()

    def filter_large(self):
        found = 0
        for level in LEVELS:
            with self.Session() as session:
                found += len(session.scalars(self.sql.select(self.Journal).where(self.Journal.level == level)).all())
        return found

    def filter_small(self, count):
        for level, first in pages(count):
            with self.Session() as session:
                query = self.sql.select(self.Journal).where(self.Journal.level == level)
                session.scalars(query.limit(PAGE).offset(first)).all()

    def keys(self, count):
        with self.Session() as session:
            return session.scalars(self.sql.select(self.Journal.id).limit(count)).all()

    def get(self, keys):
        with self.Session() as session:
            for key in keys:
                session.get(self.Journal, key)

    def columns(self, level):
        return self.sql.select(self.Journal.__table__).where(self.Journal.level == level)

    def filter_dicts(self):
        with self.Session() as session:
            return sum(len(session.execute(self.columns(level)).mappings().all()) for level in LEVELS)

    def filter_tuples(self):
        with self.Session() as session:
            return sum(len(session.execute(self.columns(level)).all()) for level in LEVELS)

    def objects(self, count):
        self.session = self.Session()
        return self.session.scalars(self.sql.select(self.Journal).limit(count)).all()

    def update_whole(self, objects):
        for found in objects:
            found.timestamp = datetime.now()
            found.level += 1
            found.text += " updated"
        self.session.commit()
        self.session.close()

    def update_part(self, objects):
        for found in objects:
            found.level += 1
        self.session.commit()
        self.session.close()

    def delete(self, objects):
        for found in objects:
            self.session.delete(found)
        self.session.commit()
        self.session.close()
