"""Fields that several forms of this app use."""

from django import forms

from projects.models import (
    CareSetting,
)
from psc_portal.common.nhsuk import MaxWordsValidator

NO_PATIENTS = "Do not write anything that could identify a patient."


def text_field(*, words: int, **options):
    return forms.CharField(widget=forms.Textarea, validators=[MaxWordsValidator(words)], **options)


class Words(forms.CharField):
    """What someone looks for; characters that no text holds are dropped."""

    def to_python(self, value):
        return " ".join((super().to_python(value) or "").replace("\0", " ").split())


def several(queryset, **options):
    return forms.ModelMultipleChoiceField(queryset, widget=forms.CheckboxSelectMultiple, **options)


class CareSettingsField(forms.MultipleChoiceField):
    def __init__(self, **options):
        super().__init__(
            choices=CareSetting.choices, widget=forms.CheckboxSelectMultiple, label="Settings of care", **options
        )
