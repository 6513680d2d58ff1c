"""The demonstration's documents, as real tagged PDFs, and what people have said, with some answers."""

from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.files.base import ContentFile
from django.template.loader import render_to_string

from psc_portal.common import clock
from psc_portal.common.demonstration import SENTENCE
from psc_portal.common.markdown import render_markdown
from psc_portal.common.pdf import render_pdf
from psc_portal.content import actions
from psc_portal.content.models import Document, FeedbackSource

TEXTS = Path(__file__).with_name("documents")
NOTE = "The PDF is tagged and was checked against PDF/UA. The same text stands on this page."


def make(world):
    _add_documents(world)
    _hear_feedback(world)


# Documents -----------------------------------------------------------------------------------------------------------
class Planned(NamedTuple):
    title: str
    kind: str
    summary: str
    editions: list[tuple[int, str, str]]  # days ago, name of the edition, file of its text


DOCUMENTS = [
    Planned(
        "PSC priorities brochure", Document.Kind.BROCHURE,
        "What the collaborative works on, why, and how to take part. Demonstration text.",
        [(665, "2025", "psc-priorities-brochure-1"), (300, "2026", "psc-priorities-brochure-2")],
    ),
    Planned(
        "Local Delivery Plan", Document.Kind.PLAN,
        "What the collaborative wants to do this year, and how it will know whether it worked. Demonstration text.",
        [(500, "first edition", "local-delivery-plan-1"), (140, "second edition", "local-delivery-plan-2")],
    ),
    Planned(
        "Minutes of the steering group", Document.Kind.MINUTES,
        "What was said and decided, without names. Demonstration text.",
        [(45, "autumn meeting", "steering-group-minutes")],
    ),
]  # fmt: skip


def _add_documents(world):
    staff = world.users["staff"]
    for planned in DOCUMENTS:
        document = None
        for days_ago, name, text in planned.editions:
            with clock.at(world.moment(days_ago=days_ago)):
                edition = _edition(world, planned.title, name, text) | {"accessibility_note": NOTE, "by": staff}
                if document is None:
                    document = actions.add_document(
                        title=planned.title, kind=planned.kind, summary=planned.summary, edition_title=name, **edition
                    )
                else:
                    actions.add_edition(document=document, title=name, **edition)


def _edition(world, title, edition, name):
    """The text as a web page and as a PDF, dated now."""
    body = (TEXTS / f"{name}.md").read_text(encoding="utf-8")
    html = render_to_string(
        "content/document_pdf.html",
        {
            "owner": settings.COLLABORATIVE["name"],
            "title": title,
            "edition": edition,
            "published_on": clock.today(),
            "mark": SENTENCE,
            "body": render_markdown(body),
        },
    )
    pdf = render_pdf(html)
    return {
        "published_on": clock.today(),
        "file": ContentFile(pdf.content, name=f"{name}.pdf"),
        "body": body,
    }


# Feedback ------------------------------------------------------------------------------------------------------------
class Said(NamedTuple):
    days_ago: int
    message: str
    page: str = ""
    source: str = ""
    source_note: str = ""
    name: str = ""
    you_said: str = ""
    we_did: str = ""
    answered_days_ago: int = 0
    note: str = ""


FEEDBACK = [
    Said(210, "I could not tell from the falls chart whether things are better or worse. Please say it in words.",
         "/metrics/OLD1/",
         you_said="The charts are hard to read if you have never seen one of this kind.",
         we_did="Every chart now begins with a sentence that says what it shows. The numbers stand in a table below it.",
         answered_days_ago=180),
    Said(160, "Too many short forms: PSC, SPC, ODS. Members of the public do not know them.", source="Patient Senate",
         source_note="Demonstration: a meeting in spring",
         you_said="There are too many short forms.",
         we_did="We write names in full the first time on each page, and we took out the short forms that nobody needs.",
         answered_days_ago=120),
    Said(95, "As a carer I would like to know who looks at this feedback and what happens with it.", "/feedback/", name="Jo",
         you_said="People do not know what happens to their feedback.",
         we_did="A member of staff reads everything within a week. What we do about it is published on this page.",
         answered_days_ago=70),
    Said(60, "Please say at events whether there is a hearing loop.", "/events/", source="Patient Senate",
         source_note="Demonstration: a meeting in autumn",
         you_said="Nobody knows before an event whether there is a hearing loop.",
         we_did="The page of each event says how one gets into the place and what is there. You can tell us what you need.",
         answered_days_ago=30),
    Said(40, "Can the list of projects show which hospital near me takes part?", "/projects/",
         note="Ask the projects' leads whether their lists of places are up to date."),
    Said(3, "The pledges page does not say what happens if an organisation stops reporting.", "/pledges/"),
]  # fmt: skip


def _hear_feedback(world):
    staff = world.users["staff"]
    for said in FEEDBACK:
        with clock.at(world.moment(days_ago=said.days_ago)):
            if said.source:
                source = FeedbackSource.objects.filter(name=said.source).first()
                feedback = actions.record_feedback(
                    message=said.message,
                    page=said.page,
                    source=source or actions.add_source(name=said.source, by=staff),
                    source_note=said.source_note,
                    by=staff,
                )
            else:
                feedback = actions.give_feedback(message=said.message, page=said.page, name=said.name)
        if said.note:
            with clock.at(world.moment(days_ago=said.days_ago - 5)):
                actions.triage_feedback(feedback=feedback, note=said.note, by=staff)
        if said.you_said:
            with clock.at(world.moment(days_ago=said.answered_days_ago)):
                actions.publish_answer(feedback=feedback, you_said=said.you_said, we_did=said.we_did, by=staff)
