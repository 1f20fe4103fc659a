"""Tortoise ORM."""

from datetime import datetime
from urllib.parse import quote

from journal import LEVELS, PAGE, level_of, pages, parts, text_of

from tortoise import Tortoise, fields
from tortoise.models import Model
from tortoise.transactions import in_transaction


class Journal(Model):
    id = fields.IntField(primary_key=True)
    timestamp = fields.DatetimeField(default=datetime.now)
    level = fields.SmallIntField(db_index=True)
    text = fields.CharField(max_length=255, db_index=True)

    class Meta:
        table = "journal_tortoise"


class Program:
    Journal = Journal
    in_transaction = staticmethod(in_transaction)
    schemes = {"postgresql": "asyncpg", "mariadb": "mysql"}
    table = "journal_tortoise"

    def __init__(self, url):
        kind, host, port, user, password, name = parts(url)
        self.url = f"sqlite://{name}" if kind == "sqlite" else (
            f"{self.schemes[kind]}://{user}:{quote(password)}@{host}:{port}/{name}")  # fmt: skip

    async def start(self):
        await Tortoise.init(db_url=self.url, modules={"models": [__name__]}, use_tz=False)

    async def stop(self):
        await Tortoise.close_connections()

    async def create(self):
        from tortoise import connections

        await connections.get("default").execute_script(f"DROP TABLE IF EXISTS {self.table}")
        await Tortoise.generate_schemas()

    async def insert_single(self, count):
        for number in range(count):
            await self.Journal.create(level=level_of(number), text=text_of(number))

    async def insert_batch(self, count):
        async with self.in_transaction():
            await self.insert_single(count)

    async def insert_bulk(self, count):
        rows = [self.Journal(level=level_of(number), text=text_of(number)) for number in range(count)]
        await self.Journal.bulk_create(rows)

    async def filter_large(self):
        return sum([len(await self.Journal.filter(level=level)) for level in LEVELS])

    async def filter_small(self, count):
        for level, first in pages(count):
            await self.Journal.filter(level=level).limit(PAGE).offset(first)

    async def keys(self, count):
        return await self.Journal.all().limit(count).values_list("id", flat=True)

    async def get(self, keys):
        for key in keys:
            await self.Journal.get(id=key)

    async def filter_dicts(self):
        return sum([len(await self.Journal.filter(level=level).values()) for level in LEVELS])

    async def filter_tuples(self):
        return sum([len(await self.Journal.filter(level=level).values_list()) for level in LEVELS])

    async def objects(self, count):
        return await self.Journal.all().limit(count)

    async def update_whole(self, objects):
        async with self.in_transaction():
            for found in objects:
                found.timestamp = datetime.now()
                found.level += 1
                found.text += " updated"
                await found.save()

    async def update_part(self, objects):
        async with self.in_transaction():
            for found in objects:
                found.level += 1
                await found.save(update_fields=["level"])

    async def delete(self, objects):
        async with self.in_transaction():
            for found in objects:
                await found.delete()
