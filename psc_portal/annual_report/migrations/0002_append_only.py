from django.db import migrations

from psc_portal.common.append_only import AppendOnly


class Migration(migrations.Migration):
    dependencies = [("annual_report", "0001_initial")]
    operations = [
        AppendOnly("annual_report_annualreportstatuschange"),
        AppendOnly("annual_report_renderingstatuschange"),
        AppendOnly("annual_report_snapshot"),
        AppendOnly("annual_report_reopening"),
        AppendOnly("annual_report_correction"),
    ]
