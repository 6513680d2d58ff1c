from django.db import migrations

from psc_portal.common.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("common", "0001_initial")]
    operations = [AppendOnly("common_auditevent")]
