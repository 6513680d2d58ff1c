import django.contrib.postgres.fields
from django.db import migrations, models

FILL = """
    UPDATE proposals_review SET scores_in_order = ARRAY(
        SELECT s.value
        FROM proposals_proposal p
        JOIN proposals_criterionweight w ON w.call_id = p.call_id
        JOIN proposals_criterion c ON c.id = w.criterion_id
        LEFT JOIN proposals_score s ON s.review_id = proposals_review.id AND s.criterion_id = c.id
        WHERE p.id = proposals_review.proposal_id
        ORDER BY c.number
    )
"""


class Migration(migrations.Migration):
    dependencies = [("proposals", "0016_why_a_letter_was_released_alone")]

    operations = [
        migrations.AddField(
            model_name="review",
            name="scores_in_order",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveSmallIntegerField(null=True),
                default=list,
                help_text="The scores once more, in the order of the criteria's numbers: a ranking reads one row a review",
                size=None,
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
