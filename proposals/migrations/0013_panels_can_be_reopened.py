"""Why a closed panel was opened again, with the minutes that it had."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from psc_portal.common.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [
        ("proposals", "0012_interests_in_one_function"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PanelReopening",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.TextField()),
                ("at", models.DateTimeField()),
                ("closed_at", models.DateTimeField()),
                ("minutes_file", models.FileField(blank=True, editable=False, max_length=255, upload_to="")),
                ("minutes_sha256", models.CharField(blank=True, editable=False, max_length=64)),
                ("minutes_made_at", models.DateTimeField(blank=True, null=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "closed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "panel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reopenings", to="proposals.panel"
                    ),
                ),
            ],
            options={
                "ordering": ["at", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="panel_reopening_has_a_reason"
                    )
                ],
            },
        ),
        AppendOnly("proposals_panelreopening"),
    ]
