import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

import projects.models

JOINED_WORDS = """
CREATE FUNCTION projects_joined_words(text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_to_string($1, ' ');
"""
KEEP_MUST_DO = """
CREATE FUNCTION projects_keep_must_do() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.kind <> OLD.kind THEN
        RAISE EXCEPTION 'a national must-do topic is never deleted or made local' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER projects_priority_keep_must_do BEFORE DELETE OR UPDATE OF kind ON projects_priority
FOR EACH ROW WHEN (OLD.kind = 'must_do') EXECUTE FUNCTION projects_keep_must_do();
"""
KEEP_SLUG = """
CREATE FUNCTION projects_keep_slug() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the slug of % never changes', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""
SLUG_TABLES = ["projects_organisation", "projects_priority", "projects_project"]


def search_vector(*weighted):
    first, *rest = [
        django.contrib.postgres.search.SearchVector(*fields, weight=weight, config="english")
        for weight, fields in weighted
    ]
    for vector in rest:
        first = first + vector
    return models.GeneratedField(
        expression=first, output_field=django.contrib.postgres.search.SearchVectorField(), db_persist=True
    )


def gin(*fields, name):
    return django.contrib.postgres.indexes.GinIndex(fields=list(fields), name=name)


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_append_only")]
    operations = [
        migrations.RunSQL(JOINED_WORDS, "DROP FUNCTION projects_joined_words(text[])"),
        migrations.AddField(
            "organisation",
            "search",
            search_vector(
                ("A", ["name", "short_name", "ods_code"]), ("B", [projects.models.JoinedWords("former_names")])
            ),
        ),
        migrations.AddField(
            "priority", "search", search_vector(("A", ["title"]), ("B", ["summary"]), ("C", ["why_chosen", "asked_by"]))
        ),
        migrations.RemoveIndex("project", "project_search"),
        migrations.RemoveField("project", "search"),  # a generated column cannot be altered
        migrations.AddField(
            "project",
            "search",
            search_vector(
                ("A", ["title"]),
                ("B", ["aim"]),
                ("B", ["lay_summary"]),
                ("C", ["result", "what_did_not_work", "stopped_reason"]),
            ),
        ),
        migrations.AddIndex("organisation", gin("search", name="organisation_search")),
        migrations.AddIndex("priority", gin("search", name="priority_search")),
        migrations.AddIndex("project", gin("search", name="project_search")),
        migrations.AddIndex("project", gin("care_settings", name="project_care_settings")),
        migrations.AddIndex("project", models.Index(fields=["status"], name="project_stage")),
        migrations.AddIndex("project", models.Index(fields=["evidence_level"], name="project_evidence")),
        migrations.RunSQL(
            KEEP_MUST_DO,
            "DROP TRIGGER projects_priority_keep_must_do ON projects_priority; DROP FUNCTION projects_keep_must_do();",
        ),
        migrations.RunSQL(KEEP_SLUG, "DROP FUNCTION projects_keep_slug()"),
        *[
            migrations.RunSQL(
                f"CREATE TRIGGER {table}_keep_slug BEFORE UPDATE OF slug ON {table} "
                "FOR EACH ROW WHEN (OLD.slug <> NEW.slug) EXECUTE FUNCTION projects_keep_slug();",
                f"DROP TRIGGER {table}_keep_slug ON {table};",
            )
            for table in SLUG_TABLES
        ],
    ]
