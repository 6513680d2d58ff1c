from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("proposals", "0002_six_criteria")]

    operations = [
        migrations.AddField(
            model_name="proposal",
            name="numbers_explained",
            field=models.CharField(
                blank=True, help_text="What a number is that looks like an NHS number and is none", max_length=300
            ),
        ),
    ]
