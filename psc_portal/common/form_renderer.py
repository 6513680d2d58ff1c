"""How inputs of forms become HTML."""

from django.forms.renderers import DjangoTemplates
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join


class FormRenderer(DjangoTemplates):
    """Django's templates, but for lists to choose from: these take two templates an option, and ours have hundreds."""

    def render(self, template_name, context, request=None):
        if template_name == "django/forms/widgets/select.html":
            return _select(context["widget"])
        return super().render(template_name, context, request)


def _select(widget):
    groups = format_html_join("\n", "{}", ((_group(name, options),) for name, options, _ in widget["optgroups"]))
    return format_html('<select name="{}"{}>\n{}\n</select>', widget["name"], _attributes(widget["attrs"]), groups)


def _group(name, options):
    rows = ((option["value"], _attributes(option["attrs"]), option["label"]) for option in options)
    html = format_html_join("\n", '<option value="{}"{}>{}</option>', rows)
    return format_html('<optgroup label="{}">\n{}\n</optgroup>', name, html) if name else html


def _attributes(attrs):
    return flatatt({name: value for name, value in attrs.items() if value is not False}) if attrs else ""
