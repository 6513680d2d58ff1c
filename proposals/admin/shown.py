"""What several admin pages show."""

from django.utils.html import format_html, format_html_join

from psc_portal.common.templatetags.portal import uk_datetime


def status_is(*statuses):
    return lambda obj: obj.status in statuses


def history_of(subject):
    changes = subject.status_changes.select_related("by")
    labels = dict(type(subject).Status.choices)
    rows = (
        (labels.get(change.to_status, change.to_status), uk_datetime(change.at), change.by or "the portal")
        for change in changes
    )
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}: {}, {}</li>", rows)) or "Nothing yet"


def list_of(line, rows, nothing):
    items = format_html_join("", line, rows)
    return format_html("<ul>{}</ul>", items) if items else nothing
