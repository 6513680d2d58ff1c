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
from psc_portal.content.models import Document, Feedback

TEXTS = Path(__file__).with_name("documents")
NOTE = "The PDF is tagged and was checked against PDF/UA. The same text stands on this page."


def make(world):
    _add_documents(world)
    _hear_feedback(world)


# Documents -----------------------------------------------------------------------------------------------------------
def _add_documents(world):
    with clock.at(world.moment(days_ago=300)):
        actions.add_document(
            title="PSC priorities brochure",
            kind=Document.Kind.BROCHURE,
            summary="What the collaborative works on, why, and how to take part. Demonstration text.",
            **_edition(world, "PSC priorities brochure", "2026", "psc-priorities-brochure"),
            accessibility_note=NOTE,
            by=world.users["staff"],
        )
    with clock.at(world.moment(days_ago=500)):
        plan = actions.add_document(
            title="Local Delivery Plan",
            kind=Document.Kind.PLAN,
            summary="What the collaborative wants to do this year, and how it will know whether it worked. "
            "Demonstration text.",
            **_edition(world, "Local Delivery Plan", "first edition", "local-delivery-plan-1"),
            accessibility_note=NOTE,
            by=world.users["staff"],
        )
    with clock.at(world.moment(days_ago=140)):
        edition = _edition(world, "Local Delivery Plan", "second edition", "local-delivery-plan-2")
        actions.add_edition(
            document=plan,
            title=edition.pop("edition_title"),
            **edition,
            accessibility_note=NOTE,
            by=world.users["staff"],
        )


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
        "edition_title": edition,
        "published_on": clock.today(),
        "file": ContentFile(pdf.content, name=f"{name}.pdf"),
        "body": body,
    }


# Feedback ------------------------------------------------------------------------------------------------------------
class Said(NamedTuple):
    days_ago: int
    message: str
    page: str = ""
    source: str = Feedback.Source.WEBSITE
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
    Said(160, "Too many short forms: PSC, SPC, ODS. Members of the public do not know them.", source=Feedback.Source.FORUM,
         source_note="Demonstration: a meeting of the Patient Senate",
         you_said="There are too many short forms.",
         we_did="We write names in full the first time on each page, and we took out the short forms that nobody needs.",
         answered_days_ago=120),
    Said(95, "As a carer I would like to know who looks at this feedback and what happens with it.", "/feedback/", name="Jo",
         you_said="People do not know what happens to their feedback.",
         we_did="A member of staff reads everything within a week. What we do about it is published on this page.",
         answered_days_ago=70),
    Said(40, "Can the list of projects show which hospital near me takes part?", "/projects/",
         note="Ask the projects' leads whether their lists of places are up to date."),
    Said(3, "The pledges page does not say what happens if an organisation stops reporting.", "/pledges/"),
]  # fmt: skip


def _hear_feedback(world):
    staff = world.users["staff"]
    for said in FEEDBACK:
        with clock.at(world.moment(days_ago=said.days_ago)):
            if said.source == Feedback.Source.WEBSITE:
                feedback = actions.give_feedback(message=said.message, page=said.page, name=said.name)
            else:
                feedback = actions.record_feedback(
                    message=said.message, source=said.source, source_note=said.source_note, by=staff
                )
        if said.note:
            with clock.at(world.moment(days_ago=said.days_ago - 5)):
                actions.triage_feedback(feedback=feedback, note=said.note, by=staff)
        if said.you_said:
            with clock.at(world.moment(days_ago=said.answered_days_ago)):
                actions.publish_answer(feedback=feedback, you_said=said.you_said, we_did=said.we_did, by=staff)
