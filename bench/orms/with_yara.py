"""Yara ORM, whose core is written in Rust."""

from datetime import datetime
from urllib.parse import quote

from journal import LEVELS, PAGE, level_of, pages, parts, text_of
from yara_orm import Model, YaraOrm, connections, fields, in_transaction


class Journal(Model):
    id = fields.IntField(pk=True)
    timestamp = fields.DatetimeField(default=datetime.now)
    level = fields.SmallIntField(index=True)
    text = fields.CharField(max_length=255, index=True)

    class Meta:
        table = "journal_yara"


class Program:
    def __init__(self, url):
        kind, host, port, user, password, name = parts(url)
        scheme = {"postgresql": "postgres", "mariadb": "mysql"}.get(kind)
        self.url = f"sqlite://{name}" if scheme is None else f"{scheme}://{user}:{quote(password)}@{host}:{port}/{name}"

    async def start(self):
        await YaraOrm.init(self.url)

    async def stop(self):
        await YaraOrm.close()

    async def create(self):
        await connections.get("default").execute("DROP TABLE IF EXISTS journal_yara")
        await YaraOrm.generate_schemas()

    async def insert_single(self, count):
        for number in range(count):
            await Journal.create(level=level_of(number), text=text_of(number))

    async def insert_batch(self, count):
        async with in_transaction():
            await self.insert_single(count)

    async def insert_bulk(self, count):
        await Journal.bulk_create([Journal(level=level_of(number), text=text_of(number)) for number in range(count)])

    async def filter_large(self):
        return sum([len(await Journal.filter(level=level)) for level in LEVELS])

    async def filter_small(self, count):
        for level, first in pages(count):
            await Journal.filter(level=level).limit(PAGE).offset(first)

    async def keys(self, count):
        return await Journal.all().limit(count).values_list("id", flat=True)

    async def get(self, keys):
        for key in keys:
            await Journal.get(id=key)

    async def filter_dicts(self):
        return sum([len(await Journal.filter(level=level).values()) for level in LEVELS])

    async def filter_tuples(self):
        return sum([len(await Journal.filter(level=level).values_list()) for level in LEVELS])

    async def objects(self, count):
        return await Journal.all().limit(count)

    async def update_whole(self, objects):
        async with in_transaction():
            for found in objects:
                found.timestamp = datetime.now()
                found.level += 1
                found.text += " updated"
                await found.save()

    async def update_part(self, objects):
        async with in_transaction():
            for found in objects:
                found.level += 1
                await found.save(update_fields=["level"])

    async def delete(self, objects):
        async with in_transaction():
            for found in objects:
                await found.delete()
