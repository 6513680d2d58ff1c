import django.db.models.deletion
from django.db import migrations, models

import psc_portal.common.clock
import psc_portal.content.models

WERE = {  # what stood in the code before staff could edit the list
    "forum": "A patient or public forum",
    "event": "An event",
    "letter": "A letter, e-mail or phone call",
}


def begin_the_list(apps, schema_editor):
    """The list of sources begins with those that stood in the code; feedback keeps its source."""
    Feedback, FeedbackSource = (apps.get_model("content", name) for name in ("Feedback", "FeedbackSource"))
    for key, name in WERE.items():
        source = FeedbackSource.objects.create(name=name)
        Feedback.objects.filter(source_before=key).update(source=source)


def give_references(apps, schema_editor):
    for feedback in apps.get_model("content", "Feedback").objects.only("pk").iterator():
        feedback.reference = psc_portal.content.models.new_reference()
        feedback.save(update_fields=["reference"])


def take_pages_over(apps, schema_editor):
    """An answer is about the page that its feedback was about."""
    Answer, Feedback = (apps.get_model("content", name) for name in ("Answer", "Feedback"))
    page = Feedback.objects.filter(pk=models.OuterRef("feedback_id")).values("page")[:1]
    Answer.objects.update(page=models.Subquery(page))


class Migration(migrations.Migration):
    dependencies = [("content", "0002_essential_pages")]

    operations = [
        migrations.CreateModel(
            name="FeedbackSource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, unique=True)),
                ("is_in_use", models.BooleanField(default=True, verbose_name="offered when feedback is recorded")),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.RenameField("feedback", "source", "source_before"),
        migrations.AddField(
            "feedback",
            "source",
            models.ForeignKey(
                blank=True,
                help_text="Empty: this website",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="content.feedbacksource",
            ),
        ),
        migrations.RunPython(begin_the_list, migrations.RunPython.noop),
        migrations.RemoveField("feedback", "source_before"),
        migrations.AlterField(
            "feedback",
            "source_note",
            models.CharField(blank=True, help_text="Which meeting, and when", max_length=120),
        ),
        migrations.AddField("feedback", "reference", models.CharField(editable=False, max_length=12, null=True)),
        migrations.RunPython(give_references, migrations.RunPython.noop),
        migrations.AlterField(
            "feedback",
            "reference",
            models.CharField(
                default=psc_portal.content.models.new_reference, editable=False, max_length=12, unique=True
            ),
        ),
        migrations.AddField(
            "feedback",
            "numbers_explained",
            models.CharField(blank=True, max_length=300, verbose_name="why a number is not an NHS number"),
        ),
        migrations.AddField(
            "feedback",
            "reply",
            models.TextField(blank=True, verbose_name="what we tell the person when it is closed"),
        ),
        migrations.AddField(
            "answer",
            "page",
            models.CharField(blank=True, db_index=True, default="", max_length=300, verbose_name="about the page"),
            preserve_default=False,
        ),
        migrations.RunPython(take_pages_over, migrations.RunPython.noop),
        migrations.AlterField(
            "document",
            "kind",
            models.CharField(
                choices=[
                    ("plan", "Local delivery plan"),
                    ("brochure", "Brochure"),
                    ("report", "Annual report"),
                    ("minutes", "Minutes"),
                    ("guidance", "Guidance"),
                    ("other", "Other"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="BrokenLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=200, verbose_name="where it stands")),
                ("source_url", models.CharField(max_length=300)),
                ("link", models.CharField(max_length=2000)),
                ("problem", models.CharField(max_length=200)),
                (
                    "found_at",
                    models.DateTimeField(default=psc_portal.common.clock.now, verbose_name="first found"),
                ),
                (
                    "checked_at",
                    models.DateTimeField(default=psc_portal.common.clock.now, verbose_name="last checked"),
                ),
            ],
            options={
                "ordering": ["source", "link"],
                "constraints": [models.UniqueConstraint(fields=("source_url", "link"), name="broken_link_once_a_page")],
            },
        ),
    ]
