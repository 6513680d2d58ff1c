from django import forms

from projects import diagram
from projects.forms.shared import NO_PATIENTS
from psc_portal.common.nhsuk import NhsukFormMixin


class BoxForm(NhsukFormMixin, forms.Form):
    """One box of a driver diagram. Its level is settled when it is added; `boxes` are those it may hang under."""

    submit_label = "Save this box"

    text = forms.CharField(
        label="Words in the box", max_length=200, help_text=f"A few words, not a sentence. {NO_PATIENTS}"
    )
    parent = forms.ChoiceField(widget=forms.RadioSelect)
    also = forms.MultipleChoiceField(
        label="Does it serve others too?", required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, level: str, boxes: list[diagram.Box], **kwargs):
        super().__init__(*args, **kwargs)
        above = diagram.above(boxes, level)
        choices = [(box.key, box.text) for box in above]
        if not above:
            del self.fields["parent"]
        else:
            self.fields["parent"].choices = choices
            self.fields["parent"].label = f"Which {diagram.LEVELS[diagram.ABOVE[level]].lower()} does it hang under?"
        if len(above) < 2:
            del self.fields["also"]
        else:
            self.fields["also"].choices = choices
