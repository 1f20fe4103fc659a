"""Peewee."""

from datetime import datetime

import peewee
from journal import LEVELS, PAGE, level_of, pages, parts, text_of


class Program:
    def __init__(self, url):
        kind, host, port, user, password, name = parts(url)
        if kind == "sqlite":
            self.database = peewee.SqliteDatabase(name)
        else:
            made = peewee.PostgresqlDatabase if kind == "postgresql" else peewee.MySQLDatabase
            self.database = made(name, host=host, port=port, user=user, password=password)

    def start(self):
        class Journal(peewee.Model):
            timestamp = peewee.DateTimeField(default=datetime.now)
            level = peewee.SmallIntegerField(index=True)
            text = peewee.CharField(max_length=255, index=True)

            class Meta:
                database = self.database
                table_name = "journal_peewee"

        self.Journal = Journal
        self.database.connect()

    def create(self):
        self.database.drop_tables([self.Journal])
        self.database.create_tables([self.Journal])

    def insert_single(self, count):
        for number in range(count):
            self.Journal.create(level=level_of(number), text=text_of(number))

    def insert_batch(self, count):
        with self.database.atomic():
            self.insert_single(count)

    def insert_bulk(self, count):
        rows = [{"level": level_of(number), "text": text_of(number)} for number in range(count)]
        self.Journal.insert_many(rows).execute()

    def of(self, level):
        return self.Journal.select().where(self.Journal.level == level)

    def filter_large(self):
        return sum(len(list(self.of(level))) for level in LEVELS)

    def filter_small(self, count):
        for level, first in pages(count):
            list(self.of(level).limit(PAGE).offset(first))

    def keys(self, count):
        return [found.id for found in self.Journal.select(self.Journal.id).limit(count)]

    def get(self, keys):
        for key in keys:
            self.Journal.get(self.Journal.id == key)

    def filter_dicts(self):
        return sum(len(list(self.of(level).dicts())) for level in LEVELS)

    def filter_tuples(self):
        return sum(len(list(self.of(level).tuples())) for level in LEVELS)

    def objects(self, count):
        return list(self.Journal.select().limit(count))

    def update_whole(self, objects):
        with self.database.atomic():
            for found in objects:
                found.timestamp = datetime.now()
                found.level += 1
                found.text += " updated"
                found.save()

    def update_part(self, objects):
        with self.database.atomic():
            for found in objects:
                found.level += 1
                found.save(only=[self.Journal.level])

    def delete(self, objects):
        with self.database.atomic():
            for found in objects:
                found.delete_instance()
