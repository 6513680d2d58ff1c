"""Each line of a budget keeps its year; those of before get it from the answers that they were made of."""

import re

from django.db import migrations, models

ANSWER = re.compile(r"budget-(\d+)-")


def read_years(apps, schema_editor):
    lines = apps.get_model("proposals", "BudgetLine").objects.select_related("proposal").order_by("position")
    for line in lines.iterator():
        answers = line.proposal.answers
        filled = sorted({int(found[1]) for name, value in answers.items() if value and (found := ANSWER.match(name))})
        if line.position <= len(filled):
            year = answers.get(f"budget-{filled[line.position - 1]}-year") or ""
            if year.isdecimal() and int(year) > 1:
                line.year = int(year)
                line.save(update_fields=["year"])


class Migration(migrations.Migration):
    dependencies = [("proposals", "0010_files_that_cannot_be_scanned")]
    operations = [
        migrations.AddField(
            model_name="budgetline",
            name="year",
            field=models.PositiveSmallIntegerField(default=1, help_text="Year of the project, counted from 1"),
        ),
        migrations.RunPython(read_years, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="budgetline",
            constraint=models.CheckConstraint(condition=models.Q(year__gte=1), name="budget_line_year_from_1"),
        ),
    ]
