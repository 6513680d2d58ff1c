"""The six criteria as first published, with what each score from 0 to 5 means, and history that cannot be rewritten."""

from django.db import migrations

from psc_portal.common.append_only import AppendOnly

CRITERIA = [
    (
        "priorities",
        "Fits our stakeholders’ priorities",
        "Align with our stakeholders’ priorities.",
        "Name who needs this and how you know.",
        "Two or more organisations in more than one system commit people or money.",
        "Is this something that patients and services here need?",
        [
            "No link to a priority, or nobody has asked for it.",
            "A priority is named, but who needs the work is not.",
            "One organisation says it needs the work.",
            "One organisation has committed time or money, and the need is shown with figures.",
            "Organisations in one system have committed people or money.",
            "Two or more organisations in more than one system have committed people or money.",
        ],
    ),
    (
        "proven",
        "Clinically proven and evaluated",
        "Are shown to be clinically proven and have been evaluated to be effective in at least one clinical setting.",
        "Tell us where it has worked, for whom, and what it did not show.",
        "A published evaluation in a comparable setting, with its limits stated.",
        "Has it helped people somewhere already, and are the writers honest about what they do not know?",
        [
            "An idea that nobody has tested.",
            "Expert opinion or single cases only.",
            "A before-and-after comparison at one site.",
            "Results over time at one site with a clear signal, harms looked for.",
            "A controlled or multi-site evaluation in a setting like ours.",
            "A published evaluation in a comparable setting, harms and limits stated.",
        ],
    ),
    (
        "spread",
        "Can spread across the region at scale and pace",
        "Have the potential to be diffused across the region at scale and pace.",
        "Who must do something different on Monday morning?",
        "Adopters are named in every system, and the cost of adopting is clear.",
        "Could this work where you live, and how soon?",
        [
            "It cannot leave the place it was made for.",
            "Spread is hoped for, but there is no plan.",
            "A plan to spread, no adopters named.",
            "One or two adopters named, and what they must do is described.",
            "Adopters named in several systems, with training and running costs.",
            "Adopters named in every system, costs of adoption clear, and a plan for after the funding.",
        ],
    ),
    (
        "benefits",
        "Improves outcomes, experience and value",
        "Will deliver improvements to healthcare outcomes, patient experiences and secure value for money.",
        "If it works, which line on which chart moves, by when?",
        "A baseline with data, outcome, process and balancing metrics, and honest costs and benefits.",
        "Would patients notice the difference, and is it worth the money?",
        [
            "No benefit is described.",
            "Benefits are general hopes, without numbers.",
            "An aim with a number, no baseline.",
            "An aim with number, date and baseline for one metric.",
            "Baseline with data, outcome and process metrics, costs by line.",
            "Baseline with data, outcome, process and balancing metrics, and honest costs and benefits.",
        ],
    ),
    (
        "involvement",
        "Involves people, or reaches those who are underserved",
        "Demonstrate patient, service user and carer involvement and/or provide improved services to currently "
        "underserved communities (as first published: “e.g. Black, Asian and minority ethnic communities”).",
        "What changed because of what people told you? Either part of this criterion can earn full marks.",
        "Designed with people who use the service, in paid roles, or a measured gap that should narrow.",
        "Have people like you shaped this, or will it reach people whom services miss?",
        [
            "Nobody who uses the service was asked, and no underserved group is reached.",
            "Involvement or reach is mentioned, not described.",
            "People were asked for their views once, or an underserved group is named.",
            "People’s views changed the work, or there is a plan to reach an underserved group.",
            "People have roles throughout, or the gap for an underserved group is measured.",
            "Designed with people in paid roles, or a measured gap that should narrow.",
        ],
    ),
    (
        "growth",
        "Generates growth for the region",
        "Generate growth for the region.",
        "If you expect none, say so: this criterion is scored, not required.",
        "Figures with their method, in the region, confirmed by the firm.",
        "Will it bring jobs or investment here?",
        [
            "No growth is expected or described.",
            "Growth is hoped for, without figures.",
            "A partner or firm in the region is named.",
            "Jobs or investment are estimated.",
            "Jobs or investment are estimated, with the method shown.",
            "Figures with their method, in the region, confirmed by the firm.",
        ],
    ),
]


def write_criteria(apps, schema_editor):
    CriterionSet = apps.get_model("proposals", "CriterionSet")
    Criterion = apps.get_model("proposals", "Criterion")
    LevelDescriptor = apps.get_model("proposals", "LevelDescriptor")
    first = CriterionSet.objects.create(
        name="The six criteria",
        version=1,
        source="The network’s published criteria for new projects; level descriptors written for this portal",
    )
    for number, (code, title, wording, help_text, top_score, lay_question, levels) in enumerate(CRITERIA, 1):
        criterion = Criterion.objects.create(
            criterion_set=first,
            number=number,
            code=code,
            title=title,
            wording=wording,
            help_text=help_text,
            top_score=top_score,
            lay_question=lay_question,
        )
        LevelDescriptor.objects.bulk_create(
            LevelDescriptor(criterion=criterion, level=level, text=text) for level, text in enumerate(levels)
        )


class Migration(migrations.Migration):
    dependencies = [("proposals", "0001_initial")]

    operations = [
        migrations.RunPython(write_criteria, migrations.RunPython.noop),
        AppendOnly("proposals_callstatuschange"),
        AppendOnly("proposals_proposalstatuschange"),
        AppendOnly("proposals_assignmentstatuschange"),
        AppendOnly("proposals_reviewstatuschange"),
        AppendOnly("proposals_extension"),
        AppendOnly("proposals_screening"),
        AppendOnly("proposals_reviewunlock"),
        AppendOnly("proposals_decision"),
    ]
