from urllib.parse import urlencode

from crispy_forms.layout import Div, Layout
from django import forms
from django.core.exceptions import ValidationError

from psc_portal.common import clock
from psc_portal.common.guards import GuardedForm
from psc_portal.common.nhs_numbers import find_nhs_numbers
from psc_portal.common.nhsuk import DateInputField, MomentInputField, NhsukFormMixin
from psc_portal.common.uploads import check_upload
from psc_portal.content.addresses import part_of, public_path
from psc_portal.content.models import Answer, Document, Edition, FeedbackSource, Page

MARKDOWN_HINT = "Markdown: # for a heading, - for a list, [words](/address/) for a link."


class FeedbackForm(NhsukFormMixin, GuardedForm):
    submit_label = "Send feedback"
    form_layout = Layout("message", "name", "email", Div("website", hidden=True))
    form_layout_with_numbers = Layout("message", "numbers_explained", "name", "email", Div("website", hidden=True))

    message = forms.CharField(
        label="What do you want to tell us?",
        max_length=3000,
        widget=forms.Textarea,
        help_text="Please do not write about anyone's health or care, and never give an NHS number.",
    )
    name = forms.CharField(label="Your name", max_length=120, required=False)
    email = forms.EmailField(
        label="Your e-mail address",
        required=False,
        help_text="Only if you want an answer. We use it for nothing else.",
        widget=forms.EmailInput({"autocomplete": "email", "spellcheck": "false"}),
    )
    numbers_explained = forms.CharField(
        label="A number in your text looks like an NHS number. If it is none, say what it is",
        help_text="If it is one, take it out. We keep what you write here with your feedback.",
        max_length=300,
        required=False,
    )
    page = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if find_nhs_numbers(f"{self.data.get('message', '')}\n{self.data.get('name', '')}"):
            self.form_layout = self.form_layout_with_numbers
        else:
            del self.fields["numbers_explained"]

    def clean_page(self):
        """Only a path of this website is kept, and none that opens something for whoever knows it."""
        return public_path(self.cleaned_data["page"])


class FeedbackStatusForm(NhsukFormMixin, forms.Form):
    submit_label = "See what became of it"

    reference = forms.CharField(
        label="Reference of your feedback",
        max_length=20,
        help_text="It begins with F, for example F-7K3M9QXW. You saw it when you had sent your feedback.",
        widget=forms.TextInput({"class": "nhsuk-input--width-10", "autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_reference(self):
        typed = "".join(sign for sign in self.cleaned_data["reference"].upper() if sign.isalnum())
        return f"F-{typed.removeprefix('F')}"


PARTS = {  # how people call the parts of the website that an answer may be about
    "": "Our work as a whole",
    "metrics": "Measurement plan",
    "calls": "Calls for proposals",
    "learning": "Learning library",
}


class DocumentFilters(forms.Form):
    """The filter in the address of the library. A kind that does not exist is left out."""

    kind = forms.ChoiceField(choices=[("", "All kinds"), *Document.Kind.choices], required=False)

    def __init__(self, data):
        super().__init__(data)
        self.is_valid()
        self.chosen = {name: value for name, value in self.cleaned_data.items() if value}

    @property
    def query(self) -> str:
        return urlencode(self.chosen)


class AnswerFilters(forms.Form):
    """Filters in the address of the list. What makes no sense there is left out."""

    q = forms.CharField(label="Words", required=False, max_length=200)
    part = forms.ChoiceField(label="About", required=False)

    def __init__(self, data):
        super().__init__(data)
        parts = sorted({part_of(page) for page in Answer.objects.order_by().values_list("page", flat=True).distinct()})
        names = [(part or "work", PARTS.get(part, part.replace("-", " ").capitalize())) for part in parts]
        self.fields["part"].choices = [("", "Everything"), *sorted(names, key=lambda choice: choice[1])]
        self.is_valid()
        self.chosen = {name: " ".join(value.split()) for name, value in self.cleaned_data.items() if value.strip()}

    def applied_to(self, answers):
        if words := self.chosen.get("q"):
            answers = answers.matching(words)
        if part := self.chosen.get("part"):
            answers = answers.about("" if part == "work" else part)
        return answers

    @property
    def query(self) -> str:
        return urlencode(self.chosen)


# In the admin --------------------------------------------------------------------------------------------------------
class PageTextForm(NhsukFormMixin, forms.Form):
    submit_label = "Save this version"

    title = forms.CharField(max_length=120)
    summary = forms.CharField(max_length=300, required=False, help_text="One sentence, shown in search results")
    body = forms.CharField(
        label="Text",
        widget=forms.Textarea({"rows": 25}),
        help_text=MARKDOWN_HINT + " Placeholders such as {{ collaborative.name }} are filled in.",
    )
    publish_at = MomentInputField(
        label="Show from", required=False, help_text="Leave empty to show it at once. UK time, for example 9am."
    )


class EditPageForm(PageTextForm):
    based_on = forms.IntegerField(widget=forms.HiddenInput)


class AddPageForm(PageTextForm):
    slug = forms.CharField(label="Address", max_length=80, help_text="For example how-we-work. It never changes.")

    field_order = ["slug"]


class RestorePageForm(NhsukFormMixin, forms.Form):
    submit_label = "Restore this version"

    number = forms.TypedChoiceField(label="Version", coerce=int, widget=forms.RadioSelect)

    def __init__(self, *args, page: Page, **kwargs):
        super().__init__(*args, **kwargs)
        older = page.versions.defer("body", "search")[1:]
        self.fields["number"].choices = [
            (version.number, f"Version {version.number}, {version.at:%-d %B %Y}: {version.title}") for version in older
        ]


class EditionForm(NhsukFormMixin, forms.Form):
    submit_label = "Add edition"

    title = forms.CharField(label="Name of the edition", max_length=120, help_text="For example 2026/27")
    published_on = DateInputField(label="Date of publication", initial=clock.today, help_text="For example 28 6 2026")
    file = forms.FileField(label="File", help_text="PDF, Word (DOCX) or Excel (XLSX), up to 10 MB. Best a tagged PDF.")
    body = forms.CharField(
        label="The document as a web page",
        widget=forms.Textarea({"rows": 15}),
        help_text=f"A summary or the whole text, for everybody who cannot use the file. {MARKDOWN_HINT}",
    )
    accessibility_note = forms.CharField(
        required=False, max_length=300, help_text="For example: this file has no tags, ask us for another format"
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        check_upload(file, allowed=set(Edition.Format.values))
        return file


class AddDocumentForm(EditionForm):
    submit_label = "Add document"

    document_title = forms.CharField(label="Title of the document", max_length=120)
    kind = forms.ChoiceField(choices=Document.Kind.choices)
    summary = forms.CharField(max_length=300, help_text="One or two sentences for the list")
    is_public = forms.BooleanField(label="Everybody may read it", required=False, initial=True)

    field_order = ["document_title", "kind", "summary", "is_public"]

    def clean(self):
        """Under the names that the action uses: there, the title is the document's."""
        values = super().clean()
        if not self.errors:
            values["edition_title"] = values.pop("title")
            values["title"] = values.pop("document_title")
        return values


class EditDocumentForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    title = forms.CharField(max_length=120)
    kind = forms.ChoiceField(choices=Document.Kind.choices)
    summary = forms.CharField(max_length=300, help_text="One or two sentences for the list")
    is_public = forms.BooleanField(label="Everybody may read it", required=False)


class RecordFeedbackForm(NhsukFormMixin, forms.Form):
    submit_label = "Keep this feedback"

    source = forms.ModelChoiceField(
        FeedbackSource.objects.filter(is_in_use=True),
        label="Where was it said?",
        empty_label=None,
        widget=forms.RadioSelect,
        help_text="Another one? Add it to the list of sources first.",
    )
    source_note = forms.CharField(
        label="Which one, and when?", max_length=120, help_text="For example: Patient Senate, 4 March 2026"
    )
    message = forms.CharField(
        label="What was said?", max_length=3000, widget=forms.Textarea, help_text="Leave out who said it."
    )
    page = forms.CharField(
        label="About which page?", required=False, max_length=300, help_text="Its address, for example /pledges/"
    )

    def clean_page(self):
        return clean_page_of_ours(self.cleaned_data["page"])


class SourceForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    name = forms.CharField(max_length=120, help_text="For example Patient Senate")
    is_in_use = forms.BooleanField(label="Offered when feedback is recorded", required=False, initial=True)


class NoteForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    note = forms.CharField(
        label="Note", max_length=1000, widget=forms.Textarea, help_text="For the staff: what is to be done, or was done"
    )


class CloseForm(NoteForm):
    reply = forms.CharField(
        label="What the person reads",
        required=False,
        max_length=1000,
        widget=forms.Textarea,
        help_text="Shown to whoever has the reference, and sent if they left an address. Not published.",
    )


class AnswerForm(NhsukFormMixin, forms.Form):
    submit_label = "Publish the answer"

    you_said = forms.CharField(
        max_length=600, widget=forms.Textarea, help_text="In our own words, so that nobody can be recognised"
    )
    we_did = forms.CharField(
        max_length=1200, widget=forms.Textarea, help_text="What we did, or why we did not, in plain words"
    )
    page = forms.CharField(
        label="About which page?",
        required=False,
        max_length=300,
        help_text="Its address, for example /pledges/. Leave empty if it is about our work as a whole.",
    )

    def clean_page(self):
        return clean_page_of_ours(self.cleaned_data["page"])


def clean_page_of_ours(typed: str) -> str:
    if typed and not public_path(typed):
        raise ValidationError("This is not a public page of this website. Copy what follows its name, like /pledges/")
    return public_path(typed)
