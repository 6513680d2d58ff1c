"""Everything that can be done with an annual report, from its creation to its publication."""

from psc_portal.annual_report.actions.freezing import freeze_report, reopen_report
from psc_portal.annual_report.actions.publishing import add_correction, publish_report
from psc_portal.annual_report.actions.rendering import (
    cancel_rendering,
    cancel_renderings,
    render,
    request_rendering,
    sweep,
)
from psc_portal.annual_report.actions.writing import SectionChanged, create_report, edit_report, edit_section, sign_off

__all__ = [
    "SectionChanged",
    "add_correction",
    "cancel_rendering",
    "cancel_renderings",
    "create_report",
    "edit_report",
    "edit_section",
    "freeze_report",
    "publish_report",
    "render",
    "reopen_report",
    "request_rendering",
    "sign_off",
    "sweep",
]
