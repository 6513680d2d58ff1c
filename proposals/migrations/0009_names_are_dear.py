"""Tell the planner what looking for an organisation's name in a text costs, so that it asks of few proposals, not all."""

from django.db import migrations

DEAR = "ALTER FUNCTION proposals_names(text, text, text, text[]) COST 20000"
AS_MADE = "ALTER FUNCTION proposals_names(text, text, text, text[]) COST 100"


class Migration(migrations.Migration):
    dependencies = [("proposals", "0008_writing_together")]
    operations = [migrations.RunSQL(DEAR, AS_MADE)]
