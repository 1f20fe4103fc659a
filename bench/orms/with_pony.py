"""Pony ORM. It has no insert in bulk."""

from datetime import datetime

from journal import LEVELS, PAGE, level_of, pages, parts, text_of
from pony import orm


class Program:
    def __init__(self, url):
        kind, host, port, user, password, name = parts(url)
        self.database = orm.Database()
        if kind == "sqlite":
            self.database.bind("sqlite", name, create_db=True)
        elif kind == "postgresql":
            self.database.bind("postgres", host=host, port=port, user=user, password=password, database=name)
        else:
            self.database.bind("mysql", host=host, port=port, user=user, passwd=password, db=name)

    def start(self):
        class Journal(self.database.Entity):
            _table_ = "journal_pony"
            id = orm.PrimaryKey(int, auto=True)
            timestamp = orm.Required(datetime, default=datetime.now)
            level = orm.Required(int, size=16, index=True)
            text = orm.Required(str, 255, index=True)

        self.Journal = Journal
        self.database.generate_mapping(create_tables=True)

    def create(self):
        self.database.drop_table("journal_pony", if_exists=True, with_all_data=True)
        self.database.create_tables()

    def insert_single(self, count):
        with orm.db_session:
            for number in range(count):
                self.Journal(level=level_of(number), text=text_of(number))
                orm.commit()

    def insert_batch(self, count):
        with orm.db_session:
            for number in range(count):
                self.Journal(level=level_of(number), text=text_of(number))

    def filter_large(self):
        found = 0
        for wanted in LEVELS:
            with orm.db_session:
                found += len(list(self.Journal.select(lambda row: row.level == wanted)))  # noqa: B023
        return found

    def filter_small(self, count):
        for wanted, first in pages(count):
            with orm.db_session:
                list(self.Journal.select(lambda row: row.level == wanted).limit(PAGE, offset=first))  # noqa: B023

    @orm.db_session
    def keys(self, count):
        return list(orm.select(row.id for row in self.Journal).limit(count))

    @orm.db_session
    def get(self, keys):
        for key in keys:
            self.Journal[key]

    @orm.db_session
    def filter_dicts(self):
        found = 0
        for wanted in LEVELS:
            found += len([row.to_dict() for row in self.Journal.select(lambda row: row.level == wanted)])  # noqa: B023
        return found

    @orm.db_session
    def filter_tuples(self):
        found = 0
        Journal = self.Journal
        for wanted in LEVELS:
            found += len(list(orm.select((j.id, j.timestamp, j.level, j.text) for j in Journal if j.level == wanted)))
        return found

    def objects(self, count):
        self.opened = orm.db_session()
        self.opened.__enter__()
        return list(self.Journal.select().limit(count))

    def end(self):
        orm.commit()
        self.opened.__exit__()

    def update_whole(self, objects):
        for found in objects:
            found.timestamp = datetime.now()
            found.level += 1
            found.text += " updated"
        self.end()

    def update_part(self, objects):
        for found in objects:
            found.level += 1
        self.end()

    def delete(self, objects):
        for found in objects:
            found.delete()
        self.end()
