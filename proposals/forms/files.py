"""Adding files, several at once."""

from django import forms

from proposals.actions.attaching import MOST_FILES
from psc_portal.common.nhsuk import NhsukFormMixin


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """The files that were chosen, as a list. What is wrong with one of them is for the action to say."""

    widget = SeveralFiles

    def clean(self, value, initial=None):
        files = value if isinstance(value, list | tuple) else [value]
        files = files or [None]
        return [super(FilesField, self).clean(file, initial) for file in files]


class AttachmentForm(NhsukFormMixin, forms.Form):
    submit_label = "Add the files"
    file = FilesField(
        label="Add files",
        help_text=f"Up to {MOST_FILES} files in all: PDF, Word (DOCX), Excel (XLSX), PNG or JPEG, up to 10 MB each. "
        "You can choose several at once.",
        allow_empty_file=True,
        error_messages={"required": "Choose a file to add"},
    )
