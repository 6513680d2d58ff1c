from django.db import migrations

from psc_portal.common.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("projects", "0001_initial")]
    operations = [AppendOnly("projects_affiliationstatuschange"), AppendOnly("projects_projectstatuschange")]
