"""Piccolo: SQLite and PostgreSQL only."""

from datetime import datetime

from journal import LEVELS, PAGE, level_of, pages, parts, text_of
from piccolo.columns import SmallInt, Timestamp, Varchar
from piccolo.engine.postgres import PostgresEngine
from piccolo.engine.sqlite import SQLiteEngine
from piccolo.table import Table


class Program:
    def __init__(self, url):
        kind, host, port, user, password, name = parts(url)
        if kind == "sqlite":
            self.engine = SQLiteEngine(path=name)
        else:
            config = {"host": host, "port": port, "user": user, "password": password, "database": name}
            self.engine = PostgresEngine(config=config, log_queries=False)
        self.pools = kind != "sqlite"

    async def start(self):
        class Journal(Table, tablename="journal_piccolo", db=self.engine):
            timestamp = Timestamp(default=datetime.now)
            level = SmallInt(index=True)
            text = Varchar(length=255, index=True)

        self.Journal = Journal
        if self.pools:
            await self.engine.start_connection_pool(min_size=1, max_size=1)

    async def stop(self):
        if self.pools:
            await self.engine.close_connection_pool()

    async def create(self):
        await self.Journal.alter().drop_table(if_exists=True)
        await self.Journal.create_table()

    async def insert_single(self, count):
        for number in range(count):
            await self.Journal(level=level_of(number), text=text_of(number)).save()

    async def insert_batch(self, count):
        async with self.engine.transaction():
            await self.insert_single(count)

    async def insert_bulk(self, count):
        rows = [self.Journal(level=level_of(number), text=text_of(number)) for number in range(count)]
        await self.Journal.insert(*rows)

    async def filter_large(self):
        return sum([len(await self.Journal.objects().where(self.Journal.level == level)) for level in LEVELS])

    async def filter_small(self, count):
        for level, first in pages(count):
            await (
                self.Journal.objects()
                .where(self.Journal.level == level)
                .limit(PAGE)
                .offset(first)
                .order_by(self.Journal.id)
            )

    async def keys(self, count):
        return await self.Journal.select(self.Journal.id).limit(count).output(as_list=True)

    async def get(self, keys):
        for key in keys:
            await self.Journal.objects().get(self.Journal.id == key)

    async def filter_dicts(self):
        return sum([len(await self.Journal.select().where(self.Journal.level == level)) for level in LEVELS])

    async def objects(self, count):
        return await self.Journal.objects().limit(count)

    async def update_whole(self, objects):
        async with self.engine.transaction():
            for found in objects:
                found.timestamp = datetime.now()
                found.level += 1
                found.text += " updated"
                await found.save()

    async def update_part(self, objects):
        async with self.engine.transaction():
            for found in objects:
                found.level += 1
                await found.save(columns=[self.Journal.level])

    async def delete(self, objects):
        async with self.engine.transaction():
            for found in objects:
                await found.remove()
