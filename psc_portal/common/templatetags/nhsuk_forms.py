"""What the crispy template pack in templates/nhsuk/ asks of a form's fields."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms, template
from django.forms.utils import ErrorList
from django.utils.html import format_html
from django.utils.safestring import SafeString

from psc_portal.common.form_renderer import escaped
from psc_portal.common.nhsuk import MaxWordsValidator, error_sentence

register = template.Library()

KINDS = (
    (forms.CheckboxSelectMultiple, "checkboxes"),
    (forms.RadioSelect, "radios"),
    (forms.CheckboxInput, "checkbox"),
    (forms.Select, "select"),
    (forms.SelectDateWidget, "several"),
    (forms.Textarea, "textarea"),
    (forms.FileInput, "file"),
    (forms.PasswordInput, "password"),
    (forms.MultiWidget, "several"),
)
CLASSES = {"select": "nhsuk-select", "textarea": "nhsuk-textarea", "file": "nhsuk-file-upload__input"}
INPUT_WIDTHS = {"number": "nhsuk-input--width-10", "date": "nhsuk-input--width-10", "time": "nhsuk-input--width-5"}


@register.filter
def kind(field):
    """Which of the pack's shapes a bound field has: input, textarea, date, radios…"""
    widget = field.field.widget
    own = getattr(widget, "kind", None)
    return own or next((name for parent, name in KINDS if isinstance(widget, parent)), "input")


@register.filter
def count_limit(field):
    """The limit that a character or word count shows: {"words": 300}, {"characters": 500} or nothing."""
    if kind(field) != "textarea":
        return {}
    for validator in field.field.validators:
        if isinstance(validator, MaxWordsValidator):
            return {"words": validator.limit}
    limit = getattr(field.field, "max_length", None)
    return {"characters": limit} if limit else {}


@register.simple_tag
def widget(field, described_by=""):
    """The field's own input with the classes of the NHS.UK frontend. It never cuts off what is typed: errors do."""
    shape = kind(field)
    own = field.field.widget.attrs
    classes = [CLASSES.get(shape, "nhsuk-input")]
    if field.errors and shape != "file":
        classes.append(f"{classes[0]}--error")
    if shape == "password":
        classes += ["nhsuk-password-input__input", "nhsuk-js-password-input-input"]
    input_type = getattr(field.field.widget, "input_type", "")
    if input_type in INPUT_WIDTHS and "nhsuk-input--width" not in own.get("class", ""):
        classes.append(INPUT_WIDTHS[input_type])
    field.form.use_required_attribute = False  # the browser's own bubbles name no way on, our sentences do
    attrs = {"maxlength": False, "minlength": False}
    text_input = None
    if limit := count_limit(field):
        classes.append("nhsuk-js-character-count")
        described_by = f"{field.auto_id}-info {described_by}".strip()
    if shape == "password":
        attrs |= {"spellcheck": "false", "autocapitalize": "none"}
    if shape == "textarea":
        attrs["cols"] = False
        if own.get("rows") in (None, "10", 10):
            attrs["rows"] = 8 if (limit.get("characters") or limit.get("words", 0) * 6) > 400 else 5
    if shape == "input" and isinstance(field.field, forms.IntegerField) and input_type == "number":
        # the design system's advice: a number box whose arrows change it by accident is worse than plain text
        attrs |= {"inputmode": "decimal" if _has_decimals(field.field) else "numeric", "step": False}
        attrs |= {"min": False, "max": False}
        text_input = forms.TextInput(own)
    if own.get("class"):
        classes.append(own["class"])
    attrs["class"] = " ".join(classes)
    described = " ".join(part for part in (described_by, field.aria_describedby) if part)
    if described and not own.get("aria-describedby"):
        attrs["aria-describedby"] = described
    return field.as_widget(widget=text_input, attrs=attrs)


def _has_decimals(field):
    return isinstance(field, forms.DecimalField | forms.FloatField)


@register.simple_tag
def boxes(field):
    """The boxes of a date, each with its label: [(label, widget html, has an error)]."""
    widget = field.field.widget
    html = widget.get_context(field.html_name, field.value(), {"id": field.auto_id})["widget"]["subwidgets"]
    names = getattr(widget, "parts", None) or [part["name"].rsplit("_", 1)[-1] for part in html]
    codes = {error.code for error in field.errors.as_data()} if field.errors else set()
    wrong = codes & {"day", "month", "year", "time"}
    shown = []
    for name, part in zip(names, html, strict=True):
        is_wrong = bool(codes) and (not wrong or name in wrong)
        attrs = part["attrs"] | {"required": False, "aria-describedby": False}
        attrs["class"] = " ".join(
            ["nhsuk-input", *(["nhsuk-input--error"] if is_wrong else []), attrs.get("class", "")]
        ).strip()
        sub = widget.widgets[len(shown)]
        shown.append(
            {
                "label": name.replace("_", " ").capitalize(),
                "id": part["attrs"].get("id", ""),
                "html": sub.render(part["name"], part["value"], attrs),
                "is_wrong": is_wrong,
            }
        )
    return shown


@register.filter
def anchor(field):
    """The id that a link of the error summary leads to: the first box or option where there are several."""
    if kind(field) in {"radios", "checkboxes", "date", "several"}:
        return f"{field.auto_id}_0"
    return field.auto_id


@register.filter
def sentences(field):
    """The field's errors, each as a sentence that says what to do."""
    if not field.errors:
        return []
    if not isinstance(field.errors, ErrorList):
        return list(field.errors)
    return [error_sentence(field, error) for error in field.errors.as_data()]


@register.simple_tag(takes_context=True)
def all_errors(context):
    """[(anchor or "", sentence)] of the context's form and formset, in the order of the page."""
    errors = [*_form_errors(context.get("form")), *_formset_errors(context.get("formset"))]
    return list(dict.fromkeys(errors))


def _form_errors(form):
    if hasattr(form, "management_form"):
        yield from _formset_errors(form)
        return
    if not getattr(form, "errors", None):
        return
    for message in form.non_field_errors():
        yield "", str(message)
    for field in form:
        for sentence in sentences(field):
            yield "" if field.is_hidden else anchor(field), sentence


def _formset_errors(formset):
    if not getattr(formset, "is_bound", False):
        return
    for message in formset.non_form_errors():
        yield "", str(message)
    for form in formset:
        yield from _form_errors(form)


def reveals(field, value):
    """The field that a radio button reveals, or None."""
    name = getattr(field.field.widget, "reveals", {}).get(value)
    return field.form[name] if name else None


def option_hint(field, value):
    """The hint under one radio button or checkbox: `field.widget.option_hints = {value: text}`."""
    hints = getattr(field.field.widget, "option_hints", None) or {}
    return hints.get(value) or hints.get(str(value), "")


@register.filter
def quiet_button(button):
    """The classes of a crispy button that mean something here: secondary, warning…"""
    classes = f" {getattr(button, 'field_classes', '')} "
    for variant in ("secondary", "warning", "reverse"):
        if f"nhsuk-button--{variant}" in classes or f" {variant} " in classes:
            return format_html(" nhsuk-button--{}", variant)
    return ""


@register.simple_tag(takes_context=True)
def optional_mark(context, field):
    """ " (optional)" after the label of a field that may stay empty; not in search forms, where all may."""
    method = context.get("form_method") or context.get("formset_method") or ""
    if field.field.required or method.lower() != "post" or "optional" in str(field.label).lower():
        return ""
    return " (optional)"


@register.filter
def is_ticked(field):
    return field.field.widget.check_test(field.value()) if hasattr(field.field.widget, "check_test") else field.value()


@register.simple_tag(takes_context=True)
def option_items(context, field, kind):
    """The radio buttons or checkboxes of a field: each with its hint and the field that it reveals."""
    options = field.field.widget.get_context(field.html_name, field.value(), {"id": field.auto_id})["widget"]
    html = []
    for group, choices, _index in options["optgroups"]:
        if group:
            html.append(f'<p class="nhsuk-label nhsuk-u-font-weight-bold">{escaped(group)}</p>')
        for option in choices:
            if str(option["value"]) == "" and isinstance(field.field, forms.ModelChoiceField):
                continue
            html.append(_option_item(option, kind, option_hint(field, option["value"])))
            if revealed := reveals(field, str(option["value"])):
                shown = context.template.engine.get_template("nhsuk/field.html")
                with context.push(field=revealed):
                    inner = shown.render(context)
                html.append(f'<div class="nhsuk-{kind}__conditional app-conditional">{inner}</div>')
    return SafeString("\n".join(html))


def _option_item(option, kind, hint) -> str:
    id_, name, value, label = map(
        escaped, [option["attrs"].get("id", ""), *map(option.get, ("name", "value", "label"))]
    )
    box = f'type="{option["type"]}" id="{id_}" name="{name}" value="{value}"'
    marks = "".join(
        f" {mark}"
        for mark, is_on in (("checked", option["selected"]), ("disabled", option["attrs"].get("disabled")))
        if is_on
    )
    if hint:
        marks += f' aria-describedby="{id_}-hint"'
        hint = f'<div class="nhsuk-hint nhsuk-{kind}__hint" id="{id_}-hint">{escaped(hint)}</div>'
    return (
        f'<div class="nhsuk-{kind}__item">\n'
        f'  <input class="nhsuk-{kind}__input" {box}{marks}>\n'
        f'  <label class="nhsuk-label nhsuk-{kind}__label" for="{id_}">{label}</label>{hint}\n'
        "</div>"
    )


@register.filter
def fields_only(form):
    """The form's own crispy helper without form tag and buttons, for a page that writes those itself."""
    own = getattr(form, "helper", None)
    helper = FormHelper()
    helper.form_tag = False
    helper.disable_csrf = True
    helper.layout = own.layout if own is not None and own.layout else Layout(*form.fields)
    helper.render_hidden_fields = True
    return helper
