from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("proposals", "0015_what_was_said_of_an_interest_before"),
    ]

    operations = [
        migrations.AddField(
            model_name="feedbackletter",
            name="released_alone_reason",
            field=models.TextField(blank=True, help_text="Why it was released before the others of the call"),
        ),
    ]
