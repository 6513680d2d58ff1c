import io

import factory
import pypdf
from django.core.files.uploadedfile import SimpleUploadedFile

from psc_portal.common import clock
from psc_portal.content.models import Answer, Document, Edition, Feedback, Page, PageVersion


def pdf_file(name="plan.pdf", *, pages=1, title=""):
    """A small real PDF as it comes from a browser."""
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=100, height=100)
    if title:
        writer.add_metadata({"/Title": title})
    buffer = io.BytesIO()
    writer.write(buffer)
    return SimpleUploadedFile(name, buffer.getvalue(), content_type="application/pdf")


class PageFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Page

    slug = factory.Sequence(lambda number: f"page-{number}")


class PageVersionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PageVersion

    page = factory.SubFactory(PageFactory)
    number = 1
    title = factory.Sequence(lambda number: f"Page {number}")
    body = "What the page says."


class DocumentFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Document

    slug = factory.Sequence(lambda number: f"document-{number}")
    title = factory.Sequence(lambda number: f"Document {number}")
    kind = Document.Kind.PLAN
    summary = "What it is about."


class EditionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Edition

    document = factory.SubFactory(DocumentFactory)
    number = 1
    title = "2026/27"
    published_on = factory.LazyFunction(clock.today)
    file = factory.LazyFunction(pdf_file)
    file_name = "plan.pdf"
    format = Edition.Format.PDF
    size = 35_000
    pages = 4
    body = "What the document says."


class FeedbackFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Feedback

    message = factory.Sequence(lambda number: f"The page is hard to find, {number}.")


class AnswerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Answer

    feedback = factory.SubFactory(FeedbackFactory, status=Feedback.Status.ANSWERED)
    you_said = "The page is hard to find."
    we_did = "We put a link on the home page."
