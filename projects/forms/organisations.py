import hashlib

from django import forms

from projects import actions
from projects.forms.shared import CareSettingsField
from projects.models import (
    Organisation,
    System,
)
from psc_portal.common import clock
from psc_portal.common.nhsuk import DateInputField, NhsukFormMixin


class ClaimForm(NhsukFormMixin, forms.Form):
    submit_label = "Ask for confirmation"

    organisation = forms.ModelChoiceField(
        Organisation.objects.none(), empty_label="Choose an organisation", label="Which organisation do you belong to?"
    )
    role = forms.CharField(max_length=120, label="Your role there", help_text="For example, patient safety lead")
    signs = forms.BooleanField(
        required=False,
        label="I sign for this organisation",
        help_text="For example its pledges. You can then also confirm others who belong there.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["organisation"].queryset = Organisation.objects.current()


class AnswerClaimForm(NhsukFormMixin, forms.Form):
    submit_label = "Save my answer"

    YES, NO = "yes", "no"
    is_right = forms.ChoiceField(
        label="Is that right?",
        choices=[(YES, "Yes, I know this person and confirm it"), (NO, "No, or I do not know them")],
        widget=forms.RadioSelect,
    )

    def answer(self, affiliation):
        """The action that gives this answer."""
        is_right = self.cleaned_data["is_right"] == self.YES
        if affiliation.status == affiliation.Status.CLAIMED:
            return actions.confirm_affiliation if is_right else actions.decline_affiliation
        return actions.confirm_signatory if is_right else actions.decline_signatory


class SystemForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    code = forms.CharField(max_length=10, label="ODS code")
    name = forms.CharField(max_length=120)


class EditOrganisationForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    ods_code = forms.CharField(max_length=10, required=False, label="ODS code")
    short_name = forms.CharField(max_length=60, required=False)
    kind = forms.ChoiceField(choices=Organisation.Kind.choices)
    care_settings = CareSettingsField(required=False)
    system = forms.ModelChoiceField(System.objects.all(), required=False, empty_label="None")
    serves_all_systems = forms.BooleanField(required=False)
    is_outside_region = forms.BooleanField(required=False, label="Outside the region, a partner")
    postcode = forms.CharField(max_length=10, required=False)
    email_domain = forms.CharField(
        max_length=100, required=False, label="E-mail domain", help_text="What follows the @"
    )
    opened_on = DateInputField(label="Opening date", required=False)
    closed_on = DateInputField(label="Closing date", required=False)


class NewOrganisationForm(EditOrganisationForm):
    name = forms.CharField(max_length=160)

    field_order = ["name"]


class MergeForm(NhsukFormMixin, forms.Form):
    """Shows what the merger touches before it is done: the list that was read must still be the list."""

    submit_label = "Merge"

    successor = forms.ModelChoiceField(
        Organisation.objects.none(), empty_label="Choose one", label="Organisation that follows it"
    )
    also = forms.ModelMultipleChoiceField(
        Organisation.objects.none(),
        required=False,
        label="If it was split: others that follow it too",
        help_text="What is open moves to the organisation above; these are named and linked.",
    )
    on = DateInputField(label="Since when", latest=clock.today)
    reason = forms.CharField(
        max_length=1000, widget=forms.Textarea({"rows": "3"}), help_text="For example the order that merged them."
    )
    read = forms.BooleanField(required=False, label="I have read the list of what this touches")
    list_mark = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, organisation, **kwargs):
        super().__init__(*args, **kwargs)
        self.organisation, self.steps = organisation, None
        others = Organisation.objects.current().exclude(pk=organisation.pk)
        self.fields["successor"].queryset = self.fields["also"].queryset = others

    def clean(self):
        values = super().clean()
        values.pop("read", None), values.pop("list_mark", None)
        if self.errors:
            return values
        self.steps = actions.steps_of_merger(self.organisation, values["successor"], values["on"])
        text = "\n".join(f"{step.section}|{step.title}|{step.what}" for step in self.steps)
        mark = hashlib.sha256(text.encode()).hexdigest()[:16]
        is_read = self.data.get("read") and self.data.get("list_mark") == mark
        self.data = self.data.copy()
        self.data["list_mark"] = mark
        if not is_read:
            self.add_error("read", "Nothing has changed yet. Read the list, tick this box, then merge")
        return values


class RenameForm(NhsukFormMixin, forms.Form):
    submit_label = "Rename"

    name = forms.CharField(max_length=160, label="New name", help_text="The former name is kept and stays searchable.")
