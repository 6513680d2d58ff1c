from crispy_forms.layout import Div, Layout
from django import forms

from psc_portal.common import clock
from psc_portal.common.nhsuk import DateInputField, MomentInputField, NhsukFormMixin
from psc_portal.common.uploads import check_upload
from psc_portal.content.models import Document, Edition, Feedback, Page

MARKDOWN_HINT = "Markdown: # for a heading, - for a list, [words](/address/) for a link."


class FeedbackForm(NhsukFormMixin, forms.Form):
    submit_label = "Send feedback"
    form_layout = Layout("message", "name", "email", Div("website", hidden=True))

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
    website = forms.CharField(  # people never see this box; programs that fill in every box do
        label="Leave this box empty", required=False, widget=forms.TextInput({"autocomplete": "off", "tabindex": "-1"})
    )
    page = forms.CharField(required=False, max_length=300, widget=forms.HiddenInput)

    def clean_page(self):
        """Only a path of this website is kept."""
        page = self.cleaned_data["page"]
        return page if page.startswith("/") and not page.startswith("//") else ""

    @property
    def is_from_a_program(self):
        return bool(self.data.get("website"))


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

    source = forms.ChoiceField(
        label="Where was it said?",
        choices=[choice for choice in Feedback.Source.choices if choice[0] != Feedback.Source.WEBSITE],
        widget=forms.RadioSelect,
    )
    source_note = forms.CharField(
        label="Which one, and when?", max_length=120, help_text="For example: Patient Senate, 4 March 2026"
    )
    message = forms.CharField(
        label="What was said?", max_length=3000, widget=forms.Textarea, help_text="Leave out who said it."
    )


class NoteForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    note = forms.CharField(
        label="Note", max_length=1000, widget=forms.Textarea, help_text="For the staff: what is to be done, or was done"
    )


class AnswerForm(NhsukFormMixin, forms.Form):
    submit_label = "Publish the answer"

    you_said = forms.CharField(
        max_length=600, widget=forms.Textarea, help_text="In our own words, so that nobody can be recognised"
    )
    we_did = forms.CharField(
        max_length=1200, widget=forms.Textarea, help_text="What we did, or why we did not, in plain words"
    )
