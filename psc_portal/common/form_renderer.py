"""How inputs of forms become HTML. Lists to choose from are written in Python: they may have hundreds of options."""

from html import escape

from django.forms.renderers import DjangoTemplates
from django.forms.utils import flatatt
from django.utils.safestring import SafeString


class FormRenderer(DjangoTemplates):
    """Django's templates, but for lists to choose from, where these take two an option."""

    def render(self, template_name, context, request=None):
        if template_name == "django/forms/widgets/select.html":
            return _select(context["widget"])
        return super().render(template_name, context, request)


def escaped(value) -> str:
    """As Django's `conditional_escape`, without its cost for lazy texts: a form of ours has a thousand of these."""
    return value.__html__() if hasattr(value, "__html__") else escape(str(value))


def _select(widget):
    groups = "\n".join(_group(name, options) for name, options, _ in widget["optgroups"])
    return SafeString(f'<select name="{escaped(widget["name"])}"{flatten(widget["attrs"])}>\n{groups}\n</select>')


def _group(name, options):
    rows = "\n".join(
        f'<option value="{escaped(option["value"])}"{flatten(option["attrs"])}>{escaped(option["label"])}</option>'
        for option in options
    )
    return f'<optgroup label="{escaped(name)}">\n{rows}\n</optgroup>' if name else rows


def flatten(attrs) -> str:
    return flatatt({name: value for name, value in attrs.items() if value is not False}) if attrs else ""
