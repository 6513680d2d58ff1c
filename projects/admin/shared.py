from django.forms.models import model_to_dict

from psc_portal.common.templatetags.portal import uk_date


def fields_of(form):
    """What a form needs of a row to start with."""
    return lambda row: model_to_dict(row, fields=form.base_fields)


def history(row) -> str:
    """Each move of a row with its day and who made it, a line each."""
    labels = dict(row._meta.get_field("status").flatchoices)
    changes = row.status_changes.select_related("by")
    return "\n".join(
        f"{uk_date(change.at)}: {labels[change.to_status]}, by {change.by or 'the portal'}" for change in changes
    )
