import datetime as dt

import pytest
from django import forms
from django.core.exceptions import ValidationError

from psc_portal.common.nhsuk import DateInputField, MaxWordsValidator, MomentInputField
from psc_portal.common.templatetags.nhsuk_forms import sentences


def form_with(field, data):
    class Form(forms.Form):
        starts_on = field

    return Form({f"starts_on_{name}": value for name, value in data.items()})


def boxes(day="", month="", year="", **others):
    return {"day": day, "month": month, "year": year, **others}


@pytest.mark.parametrize("month", ["6", "06", "June", "jun", " 6 "])
def test_a_date_in_three_boxes_becomes_a_date(month):
    form = form_with(DateInputField(label="Start date"), boxes("28", month, "2026"))

    assert form.is_valid(), form.errors
    assert form.cleaned_data["starts_on"] == dt.date(2026, 6, 28)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (boxes(), "Enter start date"),
        (boxes("28", "", "2026"), "Start date must include a month"),
        (boxes("28", "", ""), "Start date must include a month and a year"),
        (boxes("31", "2", "2026"), "Start date must be a real date: February 2026 has 28 days"),
        (boxes("30", "February", "2028"), "Start date must be a real date: February 2028 has 29 days"),
        (boxes("31", "4", "2026"), "Start date must be a real date: April 2026 has 30 days"),
        (boxes("0", "4", "2026"), "The day of start date must be a number, like 28"),
        (boxes("first", "4", "2026"), "The day of start date must be a number, like 28"),
        (boxes("1", "13", "2026"), "The month of start date must be a number from 1 to 12"),
        (boxes("1", "ju", "2026"), "The month of start date must be a number from 1 to 12"),
        (boxes("1", "4", "26"), "The year of start date must have 4 numbers, like 2026"),
        (boxes("1", "4", "0000"), "The year of start date must have 4 numbers, like 2026"),
    ],
)
def test_a_wrong_date_is_refused_with_a_sentence_that_says_what_is_wrong(typed, sentence):
    form = form_with(DateInputField(label="Start date"), typed)

    assert not form.is_valid()
    assert sentences(form["starts_on"]) == [sentence]


def test_a_date_may_have_a_first_and_a_last_day():
    field = DateInputField(label="Start date", earliest=dt.date(2026, 4, 1), latest=lambda: dt.date(2026, 4, 30))

    early = form_with(field, boxes("31", "3", "2026"))
    late = form_with(field, boxes("1", "5", "2026"))

    assert sentences(early["starts_on"]) == ["Start date must be 1 April 2026 or later"]
    assert sentences(late["starts_on"]) == ["Start date must be 30 April 2026 or earlier"]


def test_a_date_that_may_stay_empty_is_none():
    form = form_with(DateInputField(required=False), boxes())

    assert form.is_valid()
    assert form.cleaned_data["starts_on"] is None


def test_what_was_typed_stays_in_the_boxes():
    form = form_with(DateInputField(), boxes("31", "2", "2026"))

    assert [box["value"] for box in form["starts_on"].subwidgets[0].data["subwidgets"]] == ["31", "2", "2026"]


def test_a_date_may_also_come_as_one_value():
    class Form(forms.Form):
        starts_on = DateInputField()

    assert Form({"starts_on": "2026-06-28"}).fields["starts_on"].widget.value_from_datadict(
        {"starts_on": "2026-06-28"}, {}, "starts_on"
    ) == [28, 6, 2026]
    form = Form({"starts_on": "nonsense"})
    assert not form.is_valid()


def test_an_unchanged_date_has_not_changed():
    class Form(forms.Form):
        starts_on = DateInputField()

    initial = {"starts_on": dt.date(2026, 6, 28)}
    same = {"starts_on_day": "28", "starts_on_month": "06", "starts_on_year": "2026"}

    assert not Form(same, initial=initial).has_changed()
    assert Form(same | {"starts_on_day": "27"}, initial=initial).has_changed()
    assert Form(same | {"starts_on_day": "99"}, initial=initial).has_changed()


@pytest.mark.parametrize(
    ("time", "hour", "minute"),
    [("5pm", 17, 0), ("5:30 pm", 17, 30), ("17:30", 17, 30), ("12am", 0, 0), ("midday", 12, 0), ("9.15", 9, 15)],
)
def test_a_time_is_understood_as_people_write_it(time, hour, minute):
    form = form_with(MomentInputField(label="Closing time"), boxes("28", "6", "2026", time=time))

    assert form.is_valid(), form.errors
    moment = form.cleaned_data["starts_on"]
    assert (moment.hour, moment.minute, moment.tzname()) == (hour, minute, "BST")


@pytest.mark.parametrize("time", ["25:00", "13pm", "5", "soon", "0am"])
def test_a_time_that_is_none_is_refused(time):
    form = form_with(MomentInputField(label="Closing time"), boxes("28", "6", "2026", time=time))

    assert sentences(form["starts_on"]) == ["The time of closing time must be like 5pm, 5:30pm or 17:30"]


def test_the_hour_that_the_spring_skips_is_refused():
    form = form_with(MomentInputField(label="Closing time"), boxes("29", "3", "2026", time="1:30am"))

    assert sentences(form["starts_on"]) == ["Closing time: the clocks go forward then, choose another time"]


def test_too_many_words_are_counted():
    MaxWordsValidator(3)("one two\nthree")

    with pytest.raises(ValidationError) as refusal:
        MaxWordsValidator(3)("one two three four")
    assert refusal.value.messages == ["{label}: use 3 words or fewer. You have written 4."]
