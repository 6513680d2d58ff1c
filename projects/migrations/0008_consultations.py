import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import psc_portal.common.clock
from psc_portal.common.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0007_events_and_learning"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Consultation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=psc_portal.common.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=psc_portal.common.clock.now, editable=False)),
                ("slug", models.SlugField(editable=False, max_length=80, unique=True)),
                ("title", models.CharField(max_length=160)),
                (
                    "summary",
                    models.CharField(help_text="One or two plain sentences: what we ask, and of whom", max_length=400),
                ),
                (
                    "about",
                    models.TextField(
                        help_text="Why we ask, what is already fixed, and what can change",
                        verbose_name="what it is about",
                    ),
                ),
                ("opens_at", models.DateTimeField()),
                ("closes_at", models.DateTimeField()),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "Draft"), ("published", "Published"), ("decided", "Decided")],
                        default="draft",
                        editable=False,
                        max_length=9,
                    ),
                ),
                ("what_was_said", models.TextField(blank=True)),
                ("what_was_decided", models.TextField(blank=True)),
                ("decided_on", models.DateField(blank=True, null=True)),
                (
                    "priorities",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The priorities that came from it",
                        related_name="consultations",
                        to="projects.priority",
                    ),
                ),
            ],
            options={
                "ordering": ["-closes_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="ConsultationQuestion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("text", models.CharField(max_length=300)),
                (
                    "consultation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="questions",
                        to="projects.consultation",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="ConsultationResponse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=psc_portal.common.clock.now, editable=False)),
                ("updated_at", models.DateTimeField(default=psc_portal.common.clock.now, editable=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("person", "For myself"), ("organisation", "For an organisation or group")],
                        max_length=12,
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=160)),
                ("is_late", models.BooleanField(default=False, verbose_name="came after closing")),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "Waiting to be looked at"), ("shown", "Shown"), ("withheld", "Not shown")],
                        default="waiting",
                        editable=False,
                        max_length=8,
                    ),
                ),
                ("withheld_because", models.TextField(blank=True, verbose_name="why it is not shown")),
                (
                    "consultation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="responses",
                        to="projects.consultation",
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="ConsultationAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField()),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="projects.consultationquestion",
                    ),
                ),
                (
                    "response",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answers",
                        to="projects.consultationresponse",
                    ),
                ),
            ],
            options={
                "ordering": ["question__number"],
            },
        ),
        migrations.CreateModel(
            name="ConsultationResponseStatusChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_status", models.CharField(max_length=30)),
                ("to_status", models.CharField(max_length=30)),
                ("at", models.DateTimeField(default=psc_portal.common.clock.now)),
                (
                    "by",
                    models.ForeignKey(
                        help_text="empty: the portal",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="status_changes",
                        to="projects.consultationresponse",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "pk"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="ConsultationStatusChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_status", models.CharField(max_length=30)),
                ("to_status", models.CharField(max_length=30)),
                ("at", models.DateTimeField(default=psc_portal.common.clock.now)),
                (
                    "by",
                    models.ForeignKey(
                        help_text="empty: the portal",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="status_changes",
                        to="projects.consultation",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "pk"],
                "abstract": False,
            },
        ),
        migrations.AddConstraint(
            model_name="consultation",
            constraint=models.CheckConstraint(
                condition=models.Q(("closes_at__gt", models.F("opens_at"))), name="consultation_closes_after_it_opens"
            ),
        ),
        migrations.AddConstraint(
            model_name="consultation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "decided"), _negated=True),
                    models.Q(
                        models.Q(("what_was_said", ""), _negated=True),
                        models.Q(("what_was_decided", ""), _negated=True),
                        ("decided_on__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="decided_consultation_says_what",
            ),
        ),
        migrations.AddConstraint(
            model_name="consultationquestion",
            constraint=models.UniqueConstraint(
                fields=("consultation", "number"), name="consultation_question_number_once"
            ),
        ),
        migrations.AddIndex(
            model_name="consultationresponse",
            index=models.Index(fields=["consultation", "status"], name="consultation_responses"),
        ),
        migrations.AddConstraint(
            model_name="consultationresponse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "withheld"), _negated=True),
                    models.Q(("withheld_because", ""), _negated=True),
                    _connector="OR",
                ),
                name="withheld_response_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="consultationanswer",
            constraint=models.UniqueConstraint(fields=("response", "question"), name="one_answer_to_a_question"),
        ),
        AppendOnly("projects_consultationstatuschange"),
        AppendOnly("projects_consultationresponsestatuschange"),
        migrations.RunSQL(
            "CREATE TRIGGER projects_consultation_keep_slug BEFORE UPDATE OF slug ON projects_consultation "
            "FOR EACH ROW WHEN (OLD.slug <> NEW.slug) EXECUTE FUNCTION projects_keep_slug();",
            "DROP TRIGGER projects_consultation_keep_slug ON projects_consultation;",
        ),
    ]
