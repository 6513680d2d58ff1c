"""Open data of pledges: who signed up, what each organisation promised, and what has come of it."""

from dataclasses import replace

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, F, OuterRef, Subquery, Window
from django.db.models.functions import RowNumber

from pledges.models import PLEDGES_IN_A_SET, ImprovementArea, ProgressUpdate, SignUp, Statement
from projects.datasets import ORGANISATION, PAGE, UPDATED
from psc_portal.common.datasets import Column, Dataset, page_of

SECTION = "Pledges"
NOT_IN_IT = (
    "Who signed for an organisation stands on its page and not in open data.",
    "Pledges that have ended or were withdrawn are not in it.",
)


def _sign_ups():
    def areas(scope):
        named = ImprovementArea.objects.filter(sign_up=OuterRef("pk"), scope=scope)
        return ArraySubquery(named.order_by("name").values("name"))

    return (
        SignUp.objects.public()
        .with_last_update()
        .select_related("organisation", "wording_set")
        .defer("organisation__search", "drivers")
        .annotate(national_areas=areas(ImprovementArea.Scope.NATIONAL), local_areas=areas(ImprovementArea.Scope.LOCAL))
        .order_by("organisation__slug")
    )


def _of_published():
    """Statements that everybody can read."""
    return Statement.objects.filter(sign_up__in=SignUp.objects.public().order_by().values("pk"))


def _statements():
    newest = ProgressUpdate.objects.filter(statement=OuterRef("pk")).order_by("-made_on", "-pk")
    return (
        _of_published()
        .with_progress()
        .annotate(updates_made=Count("updates"), updated_on=Subquery(newest.values("made_on")[:1]))
        .select_related("sign_up__organisation", "pledge", "metric")
        .defer("search", "sign_up__organisation__search", "metric__search")
        .order_by("sign_up__organisation__slug", "pledge__number")
    )


def _progress():
    return (
        ProgressUpdate.objects.filter(statement__in=_of_published().order_by().values("pk"))
        .annotate(
            organisation=F("statement__sign_up__organisation__slug"),
            pledge=F("statement__pledge__number"),
            number=Window(RowNumber(), partition_by=F("statement"), order_by=["made_on", "pk"]),
        )
        .select_related("metric")
        .defer("metric__search")
        .order_by("organisation", "pledge", "made_on", "pk")
    )


def _step(name: str):
    """A day that the freshness of a sign-up knows; none once every pledge is done or stopped."""
    return lambda row: getattr(row.freshness, name) if row.is_open else None


METRIC = Column(
    "metric", "string", "Code of the metric that shows it", example="PU1", refers_to="metrics.code",
    of=lambda row: row.metric.code if row.metric is not None and row.metric.is_public else None,
)  # fmt: skip
NUMBER = Column(
    "pledge", "integer", "Number of the pledge in its wording", example="1", least=1, most=PLEDGES_IN_A_SET,
    is_always=True,
)  # fmt: skip
SIGNED_UP = replace(ORGANISATION, refers_to="pledges.organisation")

DATASETS = [
    Dataset(
        name="pledges",
        title="Pledges: who signed up",
        summary="Each organisation with published pledges: the wording it signed, its plan, the areas that it wants to "
        "make safer, and by when it owes news.",
        section=SECTION,
        page="pledges:wall",
        key=("organisation",),
        rows=_sign_ups,
        notes=(
            "Whether news is due, overdue or lapsed depends on the day: the days from which on that holds are given.",
            *NOT_IN_IT,
        ),
        columns=(
            ORGANISATION,
            Column("organisation_name", "string", "What the organisation was called when it signed up", is_always=True,
                   example="Riverside Mental Health NHS Trust"),
            Column("wording", "string", "Version of the wording that it signed", example="2014", is_always=True,
                   of=lambda row: row.wording_set.version),
            Column("published_at", "datetime", "When its pledges were published", example="2026-02-12T10:00:00Z",
                   is_always=True),
            Column("board_approved_on", "date", "When its board approved them", example="2026-01-29"),
            Column("plan_from", "date", "First day of its plan", example="2026-04-01"),
            Column("plan_to", "date", "Last day of its plan", example="2029-03-31"),
            Column("aim", "string", "What it wants to reach", example="Half as many falls by 2029, on every ward."),
            Column("national_areas", "string", "National areas that it wants to make safer", is_list=True,
                   example="Medicines safety; System safety"),
            Column("local_areas", "string", "Local areas that it wants to make safer", example="Delirium; Falls",
                   is_list=True),
            Column("last_update", "date", "Day of the newest update of its progress; empty where there is none",
                   example="2026-05-20"),
            Column("is_complete", "boolean", "Whether every pledge is done or stopped, so that no news is due",
                   example="false", is_always=True, of=lambda row: not row.is_open),
            Column("due_on", "date", "The day from which on news is due", example="2026-10-17", of=_step("due_on")),
            Column("overdue_on", "date", "The day from which on it is overdue", example="2026-11-19",
                   of=_step("overdue_on")),
            Column("lapsed_on", "date", "The day from which on the pledges count as lapsed", example="2027-05-20",
                   of=_step("lapsed_on")),
            Column("own_page", "string", "The organisation's own page about its pledges", is_address=True,
                   example="https://www.example.nhs.uk/safety/"),
            PAGE,
            UPDATED,
        ),
    ),
    Dataset(
        name="pledge-statements",
        title="Pledges: the statements",
        summary="What each organisation says that it will do under each of the five pledges, and how far it is.",
        section=SECTION,
        page="pledges:wall",
        key=("organisation", "pledge"),
        rows=_statements,
        changed=("updated_at", "updates__at"),
        notes=NOT_IN_IT,
        columns=(
            replace(SIGNED_UP, of=lambda row: row.sign_up.organisation.slug),
            replace(NUMBER, of=lambda row: row.pledge.number),
            Column("pledge_title", "string", "What the pledge is called", example="Put safety first", is_always=True,
                   of=lambda row: row.pledge.title),
            Column("statement", "string", "What the organisation says that it will do",
                   example="We will check every medicine on admission.", is_always=True, of=lambda row: row.text),
            METRIC,
            Column("progress", "string", "How far it is, by its newest update", example="under_way", is_always=True,
                   choices=dict(ProgressUpdate.Progress.choices)),
            Column("progress_on", "date", "Day of the newest update; empty where there is none", example="2026-05-20",
                   of=lambda row: row.updated_on),
            Column("updates", "integer", "How many updates there are", unit="updates", example="3", least=0,
                   is_always=True, of=lambda row: row.updates_made),
            replace(PAGE, of=lambda row: page_of(row.sign_up)),
        ),
    ),
    Dataset(
        name="pledge-progress",
        title="Pledges: what has come of them",
        summary="Every update that organisations have posted on their pledges, dated: what changed, with evidence, and "
        "why something stopped.",
        section=SECTION,
        page="pledges:wall",
        key=("organisation", "pledge", "number"),
        rows=_progress,
        changed=("at",),
        every="When an organisation posts an update",
        notes=("Who posted an update is not in it.", *NOT_IN_IT[1:]),
        columns=(
            replace(SIGNED_UP, of=None),
            NUMBER,
            Column("number", "integer", "Numbers the updates of a pledge, the oldest first", example="2", least=1,
                   is_always=True),
            Column("made_on", "date", "The day for which it speaks", example="2026-05-20", is_always=True),
            Column("progress", "string", "How far the organisation was", example="under_way", is_always=True,
                   choices=dict(ProgressUpdate.Progress.choices)),
            Column("what_changed", "string", "What changed", example="Every ward has a safety huddle.", is_always=True),
            Column("reason_stopped", "string", "Why it stopped; empty unless it did",
                   example="The team has been dissolved."),
            Column("evidence", "string", "Where one can see it", example="https://www.example.nhs.uk/huddles/",
                   is_address=True),
            METRIC,
        ),
    ),
]  # fmt: skip
