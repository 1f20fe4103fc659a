"""Django's ORM."""

from datetime import datetime

import django
from django.conf import settings
from journal import LEVELS, PAGE, level_of, pages, parts, text_of

ENGINES = {"postgresql": "postgresql", "mariadb": "mysql", "sqlite": "sqlite3"}


class Program:
    def __init__(self, url):
        kind, host, port, user, password, name = parts(url)
        database = {"ENGINE": "django.db.backends." + ENGINES[kind], "NAME": name, "CONN_MAX_AGE": None}
        if host is not None:
            database.update(HOST=host, PORT=port, USER=user, PASSWORD=password)
        settings.configure(DATABASES={"default": database}, USE_TZ=False, INSTALLED_APPS=[], DEBUG=False)
        django.setup()

    def start(self):
        from django.db import connection, models, transaction

        class Journal(models.Model):
            id = models.AutoField(primary_key=True)
            timestamp = models.DateTimeField(default=datetime.now)
            level = models.SmallIntegerField(db_index=True)
            text = models.CharField(max_length=255, db_index=True)

            class Meta:
                app_label = "bench"
                db_table = "journal_django"

        self.Journal, self.connection, self.atomic = Journal, connection, transaction.atomic

    def create(self):
        with self.connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS journal_django")
        with self.connection.schema_editor() as editor:
            editor.create_model(self.Journal)

    def insert_single(self, count):
        for number in range(count):
            self.Journal.objects.create(level=level_of(number), text=text_of(number))

    def insert_batch(self, count):
        with self.atomic():
            self.insert_single(count)

    def insert_bulk(self, count):
        rows = [self.Journal(level=level_of(number), text=text_of(number)) for number in range(count)]
        self.Journal.objects.bulk_create(rows)

    def filter_large(self):
        return sum(len(list(self.Journal.objects.filter(level=level))) for level in LEVELS)

    def filter_small(self, count):
        for level, first in pages(count):
            list(self.Journal.objects.filter(level=level)[first : first + PAGE])

    def keys(self, count):
        return list(self.Journal.objects.values_list("id", flat=True)[:count])

    def get(self, keys):
        for key in keys:
            self.Journal.objects.get(id=key)

    def filter_dicts(self):
        return sum(len(list(self.Journal.objects.filter(level=level).values())) for level in LEVELS)

    def filter_tuples(self):
        return sum(len(list(self.Journal.objects.filter(level=level).values_list())) for level in LEVELS)

    def objects(self, count):
        return list(self.Journal.objects.all()[:count])

    def update_whole(self, objects):
        with self.atomic():
            for found in objects:
                found.timestamp = datetime.now()
                found.level += 1
                found.text += " updated"
                found.save()

    def update_part(self, objects):
        with self.atomic():
            for found in objects:
                found.level += 1
                found.save(update_fields=["level"])

    def delete(self, objects):
        with self.atomic():
            for found in objects:
                found.delete()
