"""Fields that may be left empty for now."""

from django import forms


class _MayWait:
    """Not optional, but what is missing is said elsewhere: by the form as a whole, or once the work is finished."""

    def validate(self, value):
        if value not in self.empty_values:
            super().validate(value)


class LaterText(_MayWait, forms.CharField):
    pass


class LaterChoice(_MayWait, forms.ChoiceField):
    pass


YES_NO = [("yes", "Yes"), ("no", "No")]
