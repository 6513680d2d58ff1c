from datetime import date

from django.db import migrations

from psc_portal.common.append_only import AppendOnly

# Headings and meaning of the five pledges of the national campaign Sign up to Safety as launched on 24 June 2014.
PLEDGES = [
    (
        "Put safety first",
        "Commit to reduce avoidable harm by half, and publish the goals and plans that you have made locally.",
    ),
    (
        "Continually learn",
        "Make your organisation more resilient to risks: act on what patients tell you, and constantly measure and "
        "monitor how safe your services are.",
    ),
    (
        "Honesty",
        "Be open with people about your progress on patient safety, and support staff to be candid with patients and "
        "their families if something goes wrong.",
    ),
    (
        "Collaborate",
        "Take a leading role in local shared learning, so that all the local services that patients use get better.",
    ),
    (
        "Support",
        "Help people understand why things go wrong and how to put them right. Give staff the time and support to "
        "improve, and celebrate progress.",
    ),
]


def add_wording_set(apps, schema_editor):
    wording_set = apps.get_model("pledges", "WordingSet").objects.create(
        version="2014",
        name="Sign up to Safety, wording of 2014",
        source="NHS England, Sign up to Safety, launched on 24 June 2014",
        from_date=date(2014, 6, 24),
    )
    Pledge = apps.get_model("pledges", "Pledge")
    for number, (title, asks) in enumerate(PLEDGES, start=1):
        Pledge.objects.create(wording_set=wording_set, number=number, title=title, asks=asks)


class Migration(migrations.Migration):
    dependencies = [("pledges", "0001_initial")]

    operations = [
        migrations.RunPython(add_wording_set, migrations.RunPython.noop),
        AppendOnly("pledges_signupstatuschange"),
        AppendOnly("pledges_moderationnote"),
        AppendOnly("pledges_progressupdate"),
    ]
