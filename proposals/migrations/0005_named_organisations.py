"""What a proposal's text names, as plain words, so that the database finds the organisations it names."""

import django.db.models.fields.json
import django.db.models.functions.text
from django.db import migrations, models

import proposals.models.interests

PLAIN_WORDS = """
CREATE FUNCTION proposals_plain_words(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ' ' || btrim(regexp_replace(lower($1), '[^a-z0-9]+', ' ', 'g')) || ' ';
"""
NAMES = """
CREATE FUNCTION proposals_names(words text, name text, short_name text, former_names text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN EXISTS (
    SELECT FROM unnest(ARRAY[name, short_name]::text[] || former_names) AS one(name)
    WHERE length(proposals_plain_words(one.name)) >= 5 AND strpos(words, proposals_plain_words(one.name)) > 0
);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0003_search_and_kept_promises"),
        ("proposals", "0004_panels_messages_and_calibration"),
    ]

    operations = [
        migrations.RunSQL(PLAIN_WORDS, "DROP FUNCTION proposals_plain_words(text)"),
        migrations.RunSQL(NAMES, "DROP FUNCTION proposals_names(text, text, text, text[])"),
        migrations.AddField(
            model_name="proposal",
            name="named",
            field=models.GeneratedField(
                db_persist=True,
                expression=proposals.models.interests.PlainWords(
                    django.db.models.functions.text.Concat(
                        "organisation_name",
                        models.Value(" "),
                        django.db.models.fields.json.KeyTextTransform("partner_roles", "answers"),
                        output_field=models.TextField(),
                    )
                ),
                output_field=models.TextField(),
            ),
        ),
    ]
