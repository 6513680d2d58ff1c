"""Forms of those who write together."""

from django import forms

from proposals.models import Collaborator
from psc_portal.common.nhsuk import NhsukFormMixin

ROLES = [
    (Collaborator.Role.EDIT, "Write: read and change everything, but not submit"),
    (Collaborator.Role.VIEW, "Read only"),
]


class InviteForm(NhsukFormMixin, forms.Form):
    submit_label = "Send the invitation"
    email = forms.EmailField(
        label="Email address",
        help_text="They get a link that works for 14 days",
        error_messages={"required": "Enter the email address of the person you invite"},
    )
    role = forms.ChoiceField(
        label="What they may do",
        choices=ROLES,
        widget=forms.RadioSelect,
        initial=Collaborator.Role.EDIT,
        error_messages={"required": "Choose whether they can read or write"},
    )


class HandOverForm(NhsukFormMixin, forms.Form):
    submit_label = "Hand over the proposal"
    to = forms.ChoiceField(
        label="Who becomes the applicant?",
        help_text="They submit and withdraw, and our mail goes to them. You can still write it.",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose who becomes the applicant"},
    )

    def __init__(self, *args, team, **kwargs):
        super().__init__(*args, **kwargs)
        self.team = {str(one.user_id): one.user for one in team}
        self.fields["to"].choices = [(pk, user.display_name) for pk, user in self.team.items()]

    def clean_to(self):
        return self.team[self.cleaned_data["to"]]
