from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("proposals", "0005_named_organisations")]

    operations = [
        migrations.RemoveConstraint("screening", "screening_refusal_has_a_reason"),
        migrations.AddConstraint(
            "screening",
            models.CheckConstraint(
                condition=Q(is_eligible=True) | ~Q(reason="") | ~Q(rules_not_met=[]),
                name="screening_refusal_has_a_rule_or_a_reason",
            ),
        ),
    ]
