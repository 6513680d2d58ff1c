from django import forms

from projects.forms.shared import text_field
from psc_portal.common import clock
from psc_portal.common.nhsuk import DateInputField, NhsukFormMixin


class PriorityForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    title = forms.CharField(max_length=120)
    summary = text_field(words=60, help_text="One or two sentences in plain English")
    why_chosen = text_field(words=300, required=False)
    asked_by = text_field(words=100, required=False, label="Who asked for it")
    source = forms.CharField(max_length=300, required=False, help_text="Where it is written down")
    from_date = DateInputField(label="A priority since", initial=clock.today)
    position = forms.IntegerField(
        min_value=0, max_value=999, initial=100, help_text="The order in the list: a smaller number comes first"
    )


class RetireForm(NhsukFormMixin, forms.Form):
    submit_label = "Retire"

    to_date = DateInputField(label="Last day as a priority", initial=clock.today)
