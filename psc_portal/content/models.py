"""Editable pages with their versions, the document library, and what people tell us."""

import secrets

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchRank, SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from psc_portal.common import clock
from psc_portal.common.files import private_storage, random_name
from psc_portal.common.models import Stateful, StatusChange, Timestamped


def search_vector(heading, body):
    """A stored search vector of two columns: words in the heading count more."""
    return models.GeneratedField(
        expression=SearchVector(heading, weight="A", config="english")
        + SearchVector(body, weight="C", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )


class PageVersionQuerySet(models.QuerySet):
    def due(self):
        """Versions whose moment has come. The newest of a page's due versions is the one shown."""
        return self.filter(publish_at__lte=clock.now())

    def shown(self):
        """The version that visitors see now, one for each published page."""
        newest = PageVersion.objects.due().filter(page=models.OuterRef("page")).order_by("-number").values("pk")[:1]
        return self.filter(page__is_published=True, pk=models.Subquery(newest))


class Page(Timestamped):
    """A page that staff edit. Its text is in its versions; a newer version replaces an older scheduled one."""

    slug = models.CharField(max_length=80, unique=True, help_text="The address, for example about or about/criteria")
    is_published = models.BooleanField("published", default=True)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(
                condition=Q(slug__regex=r"^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?$"),
                name="page_slug_is_an_address",
            ),
        ]

    def __str__(self):
        return self.slug

    def get_absolute_url(self):
        return reverse("content:page", args=[self.slug])

    @property
    def shown_version(self):
        """The version that visitors would see now, or None while all are scheduled for later."""
        return self.versions.due().order_by("-number").first()

    @property
    def newest_version(self):
        return self.versions.order_by("-number").first()


class PageVersion(models.Model):
    """One text of a page. Never changed: an edit is the next version, restoring copies an older one."""

    page = models.ForeignKey(Page, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, blank=True, help_text="One sentence, shown in search results")
    body = models.TextField(help_text="Markdown")
    publish_at = models.DateTimeField(default=clock.now)
    restored_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    search = search_vector("title", "body")

    objects = PageVersionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["page", "number"], name="pageversion_number_once")]
        indexes = [GinIndex(fields=["search"], name="pageversion_search")]

    def __str__(self):
        return f"{self.title} (version {self.number})"

    @property
    def is_scheduled(self):
        return self.publish_at > clock.now()


class DocumentQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Staff: all. Everybody else: public documents that have an edition whose day has come."""
        if user.is_authenticated and user.is_programme_staff:
            return self
        return self.filter(is_public=True, pk__in=Edition.objects.out().values("document"))


class Document(Timestamped):
    """A document of the library. Its address stays; its editions come and are replaced."""

    class Kind(models.TextChoices):
        PLAN = "plan", "Local delivery plan"
        BROCHURE = "brochure", "Brochure"
        REPORT = "report", "Annual report"
        MINUTES = "minutes", "Minutes"
        GUIDANCE = "guidance", "Guidance"
        OTHER = "other", "Other"

    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=120)
    kind = models.CharField(max_length=10, choices=Kind)
    summary = models.CharField(max_length=300, help_text="One or two sentences for the list")
    is_public = models.BooleanField("public", default=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["title"]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("content:document_detail", args=[self.slug])


class EditionQuerySet(models.QuerySet):
    def out(self):
        """Editions whose day of publication has come."""
        return self.filter(published_on__lte=clock.today())


class Edition(Timestamped):
    """One edition of a document: the file, and the same in words as a web page beside it."""

    class Format(models.TextChoices):
        PDF = "pdf", "PDF"
        DOCX = "docx", "Word"
        XLSX = "xlsx", "Excel"

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="editions")
    number = models.PositiveSmallIntegerField()
    title = models.CharField(max_length=120, help_text="For example 2026/27")
    published_on = models.DateField()
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")
    file = models.FileField(storage=private_storage, upload_to=random_name("documents"))
    file_name = models.CharField(max_length=160)
    format = models.CharField(max_length=4, choices=Format)
    size = models.PositiveIntegerField("size in bytes")
    pages = models.PositiveIntegerField(null=True, blank=True)
    has_tags = models.BooleanField(null=True, help_text="A PDF without tags does not read well aloud")
    has_title = models.BooleanField(null=True)
    body = models.TextField("the document as a web page", help_text="Markdown: a summary, or the whole text")
    accessibility_note = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    search = search_vector("title", "body")

    objects = EditionQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="edition_number_once"),
            models.CheckConstraint(
                condition=Q(number=1, replaces__isnull=True) | Q(number__gt=1, replaces__isnull=False),
                name="edition_later_ones_replace",
            ),
        ]
        indexes = [GinIndex(fields=["search"], name="edition_search")]

    def __str__(self):
        return f"{self.document}, {self.title}"

    @property
    def format_and_size(self):
        """What a link to a file says: "PDF, 35 kB, 4 pages"."""
        size = f"{self.size / 1_000_000:.1f} MB" if self.size >= 1_000_000 else f"{max(1, round(self.size / 1000))} kB"
        parts = [self.get_format_display(), size]
        if self.pages:
            parts.append("1 page" if self.pages == 1 else f"{self.pages} pages")
        return ", ".join(parts)

    @property
    def download_url(self):
        return reverse("content:edition_download", args=[self.document.slug, self.number])

    def get_absolute_url(self):
        """The edition as a web page; the latest stands on the page of its document."""
        return reverse("content:edition_detail", args=[self.document.slug, self.number])

    @property
    def missing(self) -> list[str]:
        """What the upload did not find in a PDF that some people need to read it."""
        found = (("tags", self.has_tags), ("title", self.has_title))
        return [word for word, is_there in found if is_there is False]

    @property
    def warning(self) -> str:
        return f"This PDF has no {' and no '.join(self.missing)}: some people cannot read it." if self.missing else ""


class FeedbackSource(models.Model):
    """Where else than on this website people tell us something, such as a patient forum: a list that staff edit."""

    name = models.CharField(max_length=120, unique=True)
    is_in_use = models.BooleanField("offered when feedback is recorded", default=True)

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


NOT_MISREAD = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # no 0 and O, no 1, I and L
REFERENCE_LENGTH = 8


def new_reference() -> str:
    """F-7K3M9QXW: what somebody keeps to find out what became of their feedback. Nobody guesses one."""
    return "F-" + "".join(secrets.choice(NOT_MISREAD) for _ in range(REFERENCE_LENGTH))


class FeedbackQuerySet(models.QuerySet):
    def open(self):
        return self.filter(status__in=[Feedback.Status.NEW, Feedback.Status.TRIAGED])

    def visible_to(self, user):
        return self if user.is_programme_staff else self.none()


class Feedback(Stateful, Timestamped):
    """What somebody told us. Name and e-mail address are their choice; we never publish their words, only ours."""

    class Status(models.TextChoices):
        NEW = "new", "New"
        TRIAGED = "triaged", "Being looked at"
        ANSWERED = "answered", "Answered in public"
        CLOSED = "closed", "Closed"

    TRANSITIONS = {
        Status.NEW: {Status.TRIAGED, Status.ANSWERED, Status.CLOSED},
        Status.TRIAGED: {Status.ANSWERED, Status.CLOSED},
        Status.ANSWERED: set(),
        Status.CLOSED: {Status.TRIAGED},
    }

    status = models.CharField(max_length=8, choices=Status, default=Status.NEW)
    reference = models.CharField(max_length=12, unique=True, default=new_reference, editable=False)
    source = models.ForeignKey(
        FeedbackSource, on_delete=models.PROTECT, null=True, blank=True, help_text="Empty: this website"
    )
    source_note = models.CharField(max_length=120, blank=True, help_text="Which meeting, and when")
    page = models.CharField("about the page", max_length=300, blank=True)
    message = models.TextField()
    name = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)
    numbers_explained = models.CharField("why a number is not an NHS number", max_length=300, blank=True)
    note = models.TextField("note of the staff", blank=True)
    reply = models.TextField("what we tell the person when it is closed", blank=True)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "feedback"
        ordering = ["-created_at", "-pk"]

    def __str__(self):
        return f"Feedback {self.reference}"

    @property
    def source_words(self) -> str:
        return self.source.name if self.source else "This website"


class FeedbackStatusChange(StatusChange):
    subject = models.ForeignKey(Feedback, on_delete=models.PROTECT, related_name="status_changes")


class AnswerQuerySet(models.QuerySet):
    def matching(self, words: str):
        """Answers that hold the words, the best first."""
        query = SearchQuery(words.replace("\0", " ")[:200], search_type="websearch", config="english")
        return self.filter(search=query).order_by(SearchRank(F("search"), query).desc(), "-published_at", "-pk")

    def about(self, part: str):
        """Answers about one part of the website: the first word of its addresses, or "" for the work as a whole."""
        return self.filter(page__startswith=f"/{part}/") if part else self.filter(page="")


class Answer(Timestamped):
    """You said, we did: our own words about one piece of feedback, published with the date."""

    feedback = models.OneToOneField(Feedback, on_delete=models.PROTECT, related_name="answer")
    page = models.CharField("about the page", max_length=300, blank=True, db_index=True)
    you_said = models.TextField(help_text="In our own words, so that nobody can be recognised")
    we_did = models.TextField()
    published_at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    search = search_vector("you_said", "we_did")

    objects = AnswerQuerySet.as_manager()

    class Meta:
        ordering = [F("published_at").desc(), "-pk"]
        indexes = [GinIndex(fields=["search"], name="answer_search")]

    def __str__(self):
        return f"Answer to feedback {self.feedback_id}"


class BrokenLink(models.Model):
    """A link that led nowhere when it was last followed. The check takes away what has been mended."""

    source = models.CharField("where it stands", max_length=200)
    source_url = models.CharField(max_length=300)
    link = models.CharField(max_length=2000)
    problem = models.CharField(max_length=200)
    found_at = models.DateTimeField("first found", default=clock.now)
    checked_at = models.DateTimeField("last checked", default=clock.now)

    class Meta:
        ordering = ["source", "link"]
        constraints = [models.UniqueConstraint(fields=["source_url", "link"], name="broken_link_once_a_page")]

    def __str__(self):
        return f"{self.link} on {self.source}"
