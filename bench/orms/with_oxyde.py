"""Oxyde, whose core is written in Rust."""

from datetime import datetime
from urllib.parse import quote

from journal import LEVELS, PAGE, level_of, pages, parts, text_of
from oxyde import Field, Model, create_tables, db, execute_raw
from oxyde.db import transaction


class Journal(Model):
    id: int | None = Field(default=None, db_pk=True)
    timestamp: datetime = Field(default_factory=datetime.now)
    level: int = Field(db_index=True)
    text: str = Field(max_length=255, db_index=True)

    class Meta:
        is_table = True
        table_name = "journal_oxyde"


class Program:
    made = False

    def __init__(self, url):
        kind, host, port, user, password, name = parts(url)
        scheme = {"postgresql": "postgresql", "mariadb": "mysql"}.get(kind)
        self.url = f"sqlite:///{name}" if scheme is None else (
            f"{scheme}://{user}:{quote(password)}@{host}:{port}/{name}")  # fmt: skip

    async def start(self):
        await db.init(default=self.url)

    async def stop(self):
        await db.close()

    async def create(self):
        if self.made:  # its index would outlive its table on SQLite
            await execute_raw("DELETE FROM journal_oxyde")
        else:
            await execute_raw("DROP TABLE IF EXISTS journal_oxyde")
            await create_tables(await db.get_connection("default"))
        self.made = True

    async def insert_single(self, count):
        for number in range(count):
            await Journal.objects.create(level=level_of(number), text=text_of(number))

    async def insert_batch(self, count):
        async with transaction.atomic():
            await self.insert_single(count)

    async def insert_bulk(self, count):
        rows = [Journal(level=level_of(number), text=text_of(number)) for number in range(count)]
        await Journal.objects.bulk_create(rows)

    async def filter_large(self):
        return sum([len(await Journal.objects.filter(level=level).all()) for level in LEVELS])

    async def filter_small(self, count):
        for level, first in pages(count):
            await Journal.objects.filter(level=level).limit(PAGE).offset(first).all()

    async def keys(self, count):
        return [row.id for row in await Journal.objects.query().limit(count).all()]

    async def get(self, keys):
        for key in keys:
            await Journal.objects.get(id=key)

    async def filter_dicts(self):
        names = ("id", "timestamp", "level", "text")
        return sum([len(await Journal.objects.filter(level=level).values(*names).all()) for level in LEVELS])

    async def filter_tuples(self):
        names = ("id", "timestamp", "level", "text")
        return sum([len(await Journal.objects.filter(level=level).values_list(*names).all()) for level in LEVELS])

    async def objects(self, count):
        return await Journal.objects.query().limit(count).all()

    async def update_whole(self, objects):
        async with transaction.atomic():
            for found in objects:
                found.timestamp = datetime.now()
                found.level += 1
                found.text += " updated"
                await found.save()

    async def update_part(self, objects):
        async with transaction.atomic():
            for found in objects:
                found.level += 1
                await found.save(update_fields=["level"])

    async def delete(self, objects):
        async with transaction.atomic():
            for found in objects:
                await found.delete()
