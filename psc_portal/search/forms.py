from django import forms

from psc_portal.common.nhsuk import NhsukFormMixin


class SynonymForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    terms = forms.CharField(
        label="Words that mean the same",
        max_length=1000,
        widget=forms.Textarea({"rows": 8}),
        help_text="One a line, 2 to 12, each of up to 4 words: for example “bed sore” and “pressure ulcer”. Plurals "
        "and other endings are found by themselves.",
    )

    def clean_terms(self) -> list[str]:
        return self.cleaned_data["terms"].replace("\0", "").splitlines()
