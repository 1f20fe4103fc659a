"""SQLObject. It has no insert in bulk, and gives objects only."""

from datetime import datetime
from urllib.parse import quote

import sqlobject
from journal import LEVELS, PAGE, level_of, pages, parts, text_of


class Program:
    def __init__(self, url):
        kind, host, port, user, password, name = parts(url)
        if kind == "sqlite":
            self.uri = f"sqlite:{name}"
        else:
            scheme = "postgres" if kind == "postgresql" else "mysql"
            self.uri = f"{scheme}://{user}:{quote(password)}@{host}:{port}/{name}"

    def start(self):
        self.connection = sqlobject.connectionForURI(self.uri)
        sqlobject.sqlhub.processConnection = self.connection

        class Journal(sqlobject.SQLObject):
            class sqlmeta:
                table = "journal_sqlobject"
                cacheValues = True

            timestamp = sqlobject.DateTimeCol(default=datetime.now)
            level = sqlobject.IntCol()
            text = sqlobject.StringCol(length=255)
            by_level = sqlobject.DatabaseIndex("level")
            by_text = sqlobject.DatabaseIndex("text")

        self.Journal = Journal

    def create(self):
        self.Journal.dropTable(ifExists=True)
        self.Journal.createTable()

    def together(self, work):
        transaction = self.connection.transaction()
        sqlobject.sqlhub.processConnection = transaction
        work()
        transaction.commit(close=True)
        sqlobject.sqlhub.processConnection = self.connection

    def insert_single(self, count):
        for number in range(count):
            self.Journal(level=level_of(number), text=text_of(number))

    def insert_batch(self, count):
        self.together(lambda: self.insert_single(count))

    def of(self, level):
        return self.Journal.select(self.Journal.q.level == level)

    def filter_large(self):
        self.connection.cache.clear()
        return sum(len(list(self.of(level))) for level in LEVELS)

    def filter_small(self, count):
        for level, first in pages(count):
            self.connection.cache.clear()
            list(self.of(level)[first : first + PAGE])

    def keys(self, count):
        found = [row.id for row in self.Journal.select()[:count]]
        self.connection.cache.clear()
        return found

    def get(self, keys):
        for key in keys:
            self.Journal.get(key)

    def objects(self, count):
        self.transaction = self.connection.transaction()
        return list(self.Journal.select(connection=self.transaction)[:count])

    def end(self):
        self.transaction.commit(close=True)

    def update_whole(self, objects):
        for found in objects:
            found.set(timestamp=datetime.now(), level=found.level + 1, text=found.text + " updated")
        self.end()

    def update_part(self, objects):
        for found in objects:
            found.level += 1
        self.end()

    def delete(self, objects):
        for found in objects:
            found.destroySelf()
        self.end()
