import datetime as dt
from urllib.parse import urlencode

from django import forms
from django.db import models

from projects.forms.events import MARKDOWN_HINT
from projects.forms.filters import FilterChoice
from projects.forms.shared import Words, several
from projects.models import LearningResource, LearningTopic, Offer, Priority, Project
from psc_portal.common import clock
from psc_portal.common.nhsuk import DateInputField, MomentInputField, NhsukFormMixin
from psc_portal.content.models import Document


class LearningFilters(forms.Form):
    """Filters in the address of the library. What makes no sense there gets a sentence and is left out."""

    q = Words(label="Words", required=False, max_length=200)
    topic = FilterChoice(nothing="All topics")
    kind = FilterChoice(nothing="All kinds", choices=LearningResource.Kind.choices)

    def __init__(self, data):
        super().__init__(data)
        field = self.fields["topic"]
        field.choices = [("", field.nothing), *LearningTopic.objects.values_list("slug", "name")]
        self.is_valid()
        self.chosen = {name: value for name, value in self.cleaned_data.items() if value}

    def applied_to(self, resources: models.QuerySet) -> models.QuerySet:
        if words := self.chosen.get("q"):
            resources = resources.matching(words).order_by("-rank", "title", "pk")
        else:
            resources = resources.order_by("-published_on", "title", "pk")
        if topic := self.chosen.get("topic"):
            through = LearningResource.topics.through.objects
            resources = resources.filter(pk__in=through.filter(learningtopic__slug=topic).values("learningresource"))
        if kind := self.chosen.get("kind"):
            resources = resources.filter(kind=kind)
        return resources

    @property
    def query(self) -> str:
        return urlencode(self.chosen)


# In the admin --------------------------------------------------------------------------------------------------------
class TopicForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    name = forms.CharField(max_length=80)
    position = forms.IntegerField(
        min_value=0, max_value=999, initial=100, help_text="The order in the list: a smaller number comes first"
    )


class LearningResourceForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    title = forms.CharField(max_length=120, help_text="The address of the page comes from the first title and stays.")
    kind = forms.ChoiceField(choices=LearningResource.Kind.choices)
    lesson_month = DateInputField(
        label="Month of the lesson", required=False, help_text="For a lesson of the month: any day of that month"
    )
    summary = forms.CharField(max_length=300, help_text="One or two sentences for lists")
    body = forms.CharField(label="Text", widget=forms.Textarea({"rows": 15}), help_text=MARKDOWN_HINT)
    source = forms.CharField(label="Where it comes from", max_length=300, required=False)
    link = forms.URLField(label="Link to the original", max_length=500, required=False, assume_scheme="https")
    document = forms.ModelChoiceField(Document.objects.all(), required=False, empty_label="None")
    topics = several(LearningTopic.objects.all())
    priorities = several(Priority.objects.all(), required=False)
    projects = several(Project.objects.all(), required=False)
    published_on = DateInputField(label="Date of publication", initial=clock.today)
    reviewed_on = DateInputField(label="Last reviewed", initial=clock.today, latest=clock.today)
    review_due_on = DateInputField(
        label="Next review",
        initial=lambda: clock.today() + dt.timedelta(days=365),
        help_text="After it, the page says so.",
    )
    is_public = forms.BooleanField(label="Everybody may read it", required=False, initial=True)

    def clean_lesson_month(self):
        month = self.cleaned_data["lesson_month"]
        return month.replace(day=1) if month else None


class EditLearningResourceForm(LearningResourceForm):
    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class ReviewResourceForm(NhsukFormMixin, forms.Form):
    review_due_on = DateInputField(
        label="Next review", initial=lambda: clock.today() + dt.timedelta(days=365), earliest=clock.today
    )


class OfferForm(NhsukFormMixin, forms.Form):
    submit_label = "Save"

    title = forms.CharField(max_length=120, help_text="The address of the page comes from the first title and stays.")
    kind = forms.ChoiceField(choices=Offer.Kind.choices)
    summary = forms.CharField(max_length=300, help_text="One or two sentences for lists")
    audience = forms.CharField(label="Who it is for", max_length=200)
    body = forms.CharField(label="Text", widget=forms.Textarea({"rows": 10}), help_text=MARKDOWN_HINT)
    how_to_apply = forms.CharField(widget=forms.Textarea({"rows": 5}), help_text=MARKDOWN_HINT)
    opens_at = MomentInputField(label="Opens", initial=clock.now, help_text="UK time, for example 9am")
    closes_at = MomentInputField(label="Closes", required=False, help_text="Leave empty: open until further notice.")
    priorities = several(Priority.objects.all(), required=False)
    is_public = forms.BooleanField(label="Everybody may read it", required=False, initial=True)


class EditOfferForm(OfferForm):
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
