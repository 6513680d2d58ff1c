import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

import psc_portal.common.clock
import psc_portal.search.models

STEMS = """
CREATE FUNCTION search_stems(text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(SELECT phraseto_tsquery('english'::regconfig, term)::text FROM unnest($1) AS term);
"""


class Migration(migrations.Migration):
    dependencies = []
    operations = [
        TrigramExtension(),  # trusted: whoever owns the database may create it
        migrations.RunSQL(STEMS, "DROP FUNCTION search_stems(text[])"),
        migrations.CreateModel(
            name="Synonym",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=psc_portal.common.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=psc_portal.common.clock.now, editable=False)),
                (
                    "terms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        help_text="Two to twelve words or short phrases",
                        size=None,
                    ),
                ),
                (
                    "stems",
                    models.GeneratedField(
                        db_persist=True,
                        expression=psc_portal.search.models.Stems("terms"),
                        output_field=django.contrib.postgres.fields.ArrayField(
                            base_field=models.TextField(), size=None
                        ),
                    ),
                ),
            ],
            options={
                "ordering": ["terms"],
                "indexes": [django.contrib.postgres.indexes.GinIndex(fields=["stems"], name="synonym_stems")],
            },
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("word", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("rows", models.PositiveIntegerField(help_text="How many public things hold it")),
            ],
            options={
                "ordering": ["word"],
                "indexes": [
                    django.contrib.postgres.indexes.GistIndex(
                        django.contrib.postgres.indexes.OpClass("word", name="gist_trgm_ops"),
                        name="searchword_trigrams",
                    )
                ],
            },
        ),
    ]
