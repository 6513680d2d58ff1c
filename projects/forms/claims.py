"""A form that points out words which claim more than the evidence carries, once, before it is saved."""

from django import forms

from projects import wording


class ClaimCheck(forms.Form):
    """Warns at each field of `claiming_texts`; whoever ticks the box saves the words as they are.

    `level`: the evidence level of the project, where the form does not ask for it itself.
    """

    claiming_texts: list[str] = []

    keep_words = forms.BooleanField(
        label="Save these words as they are",
        required=False,
        help_text="Tick this if you know why the words are right here. Staff see what was pointed out.",
    )

    def __init__(self, *args, level: int = 0, **kwargs):
        super().__init__(*args, **kwargs)
        self.level = level
        self.claims = self._find()
        if not self.claims:
            del self.fields["keep_words"]
        elif "keep_words" in self.fields:
            self.order_fields([*[name for name in self.fields if name != "keep_words"], "keep_words"])

    def _find(self) -> dict[str, list[wording.Claim]]:
        if not self.is_bound:
            return {}
        typed = str(self.data.get("evidence_level", ""))
        self.level = int(typed) if typed in set("012345") else self.level
        return wording.claims_by_place({name: self.data.get(name, "") for name in self._texts()}, self.level)

    def _texts(self) -> list[str]:
        return [name for name in self.claiming_texts if name in self.fields]

    def clean(self):
        values = super().clean()
        is_kept = values.pop("keep_words", False)
        for name, claims in self.claims.items():
            if not is_kept and name not in self.errors:
                self.add_error(name, f"{wording.warning(claims, self.level)} Or tick “Save these words as they are”.")
        return values
