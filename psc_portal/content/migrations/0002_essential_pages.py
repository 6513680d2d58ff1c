from django.db import migrations

from psc_portal.common.append_only import AppendOnly
from psc_portal.content.essential_pages import essential_pages


def add_pages(apps, schema_editor):
    Page = apps.get_model("content", "Page")
    PageVersion = apps.get_model("content", "PageVersion")
    for essential in essential_pages():
        page = Page.objects.create(slug=essential.slug)
        PageVersion.objects.create(
            page=page, number=1, title=essential.title, summary=essential.summary, body=essential.body
        )


class Migration(migrations.Migration):
    dependencies = [("content", "0001_initial")]

    operations = [
        migrations.RunPython(add_pages, migrations.RunPython.noop),
        AppendOnly("content_pageversion"),
        AppendOnly("content_feedbackstatuschange"),
    ]
