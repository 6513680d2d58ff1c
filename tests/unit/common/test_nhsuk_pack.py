"""The crispy pack: NHS.UK markup, errors that lead to their field, nothing that was typed cut off."""

import re

import pytest
from crispy_forms.utils import render_crispy_form
from django import forms
from django.forms import formset_factory
from django.template import Context, Template

from psc_portal.common.developers import ExampleForm
from psc_portal.common.nhsuk import NhsukFormMixin, RevealRadios
from psc_portal.common.templatetags.portal import nhsuk


def classes(html):
    return {name for group in re.findall(r'class="([^"]*)"', html) for name in group.split()}


def render(form):
    return render_crispy_form(form, helper=getattr(form, "helper", None))


def form_of(**fields):
    return type("Form", (NhsukFormMixin, forms.Form), fields)


ERRORS = {"errorMessage": {"text": "Enter it"}, "hint": {"text": "A hint"}}
LABEL = {"label": {"text": "Label", "size": "s"}}
LEGEND = {"fieldset": {"legend": {"text": "Label", "size": "s"}}}
ITEMS = {"items": [{"value": "a", "text": "A"}]}
FIELDS = {
    "input": (forms.CharField(), {**LABEL}),
    "textarea": (forms.CharField(widget=forms.Textarea), {**LABEL}),
    "characterCount": (forms.CharField(widget=forms.Textarea, max_length=9), {**LABEL, "maxlength": 9}),
    "select": (forms.ChoiceField(choices=[("a", "A")]), {**LABEL, **ITEMS}),
    "radios": (forms.ChoiceField(choices=[("a", "A")], widget=forms.RadioSelect), {**LEGEND, **ITEMS}),
    "checkboxes": (
        forms.MultipleChoiceField(choices=[("a", "A")], widget=forms.CheckboxSelectMultiple),
        {**LEGEND, **ITEMS},
    ),
    "fileUpload": (forms.FileField(), {**LABEL}),
    "passwordInput": (forms.CharField(widget=forms.PasswordInput), {**LABEL}),
}


@pytest.mark.parametrize("component", FIELDS)
def test_a_wrong_field_has_the_classes_of_the_nhsuk_frontend(component):
    field, params = FIELDS[component]
    field.help_text = "A hint"
    form = form_of(thing=field)({})

    ours = Template("{% load crispy_forms_filters %}{{ field|as_crispy_field }}").render(
        Context({"field": form["thing"]})
    )

    assert classes(ours) == classes(nhsuk(component, name="thing", **params, **ERRORS))


def test_the_date_boxes_have_the_classes_of_the_nhsuk_frontend():
    form = ExampleForm({})

    html = Template("{% load crispy_forms_filters %}{{ field|as_crispy_field }}").render(
        Context({"field": form["starts_on"]})
    )

    assert classes(html) == classes(nhsuk("dateInput", id="d", namePrefix="d", **LEGEND, **ERRORS))


def test_a_form_opens_with_a_summary_whose_links_lead_to_the_fields():
    html = render(ExampleForm({"title": "x", "starts_on_day": "31"}))

    links = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a>', html)
    assert ("id_email", "Enter e-mail address") in links
    assert ("id_setting_0", "Answer the question: Where will it be used?") in links
    assert ("id_topics_0", "Choose topics") in links
    assert ("id_starts_on_0", "Start date must include a month and a year") in links
    assert {anchor for anchor, _ in links} <= set(re.findall(r' id="([^"]+)"', html))


def test_hints_and_errors_are_read_with_their_input():
    html = render(ExampleForm({"title": "x" * 61}))

    for tag in re.findall(r"<(?:input|textarea|fieldset)[^>]*aria-describedby=\"([^\"]+)\"", html):
        for name in tag.split():
            assert f'id="{name}"' in html, name


def test_inputs_never_cut_off_what_is_typed():
    html = render(ExampleForm({"title": "x" * 70, "number": "0"}))

    assert not re.search(r"<(?:input|textarea|select)[^>]* (maxlength|min|max|required)=?", html)
    assert f'value="{"x" * 70}"' in html
    assert "Title must be 60 characters or fewer. You have written 70." in html
    assert "Number of wards must be 1 or more" in html


def test_the_pack_writes_no_inline_style_or_script():
    html = render(ExampleForm({}))

    assert " style=" not in html
    assert "<script" not in html


def test_only_optional_fields_are_marked_and_not_in_search_forms():
    class SearchForm(forms.Form):
        words = forms.CharField(required=False)

    form_class = form_of(name=forms.CharField(), note=forms.CharField(required=False))

    assert re.findall(r"<label[^>]*>([^<]+)</label>", render(form_class())) == ["Name", "Note (optional)"]
    assert "optional" not in Template("{% load crispy_forms_filters %}{{ form|crispy }}").render(
        Context({"form": SearchForm()})
    )


def test_a_radio_button_reveals_another_field_once():
    form_class = form_of(
        place=forms.ChoiceField(
            choices=[("a", "A"), ("other", "Other")], widget=RevealRadios(reveals={"other": "which"})
        ),
        which=forms.CharField(required=False),
    )

    html = render(form_class({"place": "other", "which": "A hospice"}))

    assert html.count('name="which"') == 1
    assert 'value="A hospice"' in html
    assert "app-conditional" in html


def test_an_error_that_the_form_wrote_itself_is_left_as_it_is():
    form_class = form_of(name=forms.CharField(error_messages={"required": "Tell us who you are"}))

    html = render(form_class({}))

    assert '<a href="#id_name">Tell us who you are</a>' in html


def test_errors_of_the_whole_form_stand_in_the_summary():
    form = form_of(name=forms.CharField())({"name": "x"})
    form.add_error(None, "This call has closed. Your text is kept.")

    assert "<li>This call has closed. Your text is kept.</li>" in render(form)


def test_a_formset_shows_its_errors_and_its_forms():
    class Row(forms.Form):
        name = forms.CharField()

    rows = formset_factory(Row, extra=0)({"form-TOTAL_FORMS": "2", "form-INITIAL_FORMS": "0", "form-1-name": "x"})
    rows.is_valid()

    html = Template("{% load crispy_forms_tags %}{% crispy rows %}").render(Context({"rows": rows}))

    # an untouched extra form may stay empty
    assert html.count("app-formset__item") == 2
    assert 'name="form-TOTAL_FORMS"' in html


def test_buttons_say_what_they_do_and_do_it_once():
    html = render(ExampleForm())

    buttons = re.findall(r"<button class=\"(nhsuk-button[^\"]*)\"[^>]*type=\"submit\"([^>]*)>([^<]+)</button>", html)
    assert [(css, text) for css, _attrs, text in buttons] == [
        ("nhsuk-button", "Save and continue"),
        ("nhsuk-button nhsuk-button--secondary", "Save and come back later"),
    ]
    assert 'name="draft"' in buttons[1][1]
    assert html.count('data-prevent-double-click="true"') == 2
