from django.urls import path

from proposals.views import (
    calls,
    collaborators,
    drafts,
    feeds,
    files,
    fit_check,
    preview,
    reminders,
    status,
    versions,
)

app_name = "proposals"
urlpatterns = [
    path("calls/", calls.call_list, name="call_list"),
    path("calls/feed/", feeds.feed, name="call_feed"),
    path("calls/calendar.ics", feeds.calendar, name="calendar"),
    path("calls/reminder/<uuid:reminder_token>/", reminders.reminder, name="reminder"),
    path("calls/<slug:slug>/", calls.call_detail, name="call_detail"),
    path("calls/<slug:slug>/fit-check/", fit_check.fit_check, name="fit_check"),
    path("calls/<slug:slug>/fit-check/go-on/", fit_check.fit_check_go_on, name="fit_check_go_on"),
    path("calls/<slug:slug>/calendar.ics", feeds.call_calendar, name="call_calendar"),
    path("calls/<slug:slug>/form/", calls.call_form, name="call_form"),
    path("calls/<slug:slug>/apply/", drafts.apply, name="apply"),
    path("calls/<slug:slug>/apply/<uuid:public_id>/", drafts.draft, name="draft"),
    path("calls/<slug:slug>/apply/<uuid:public_id>/check/", drafts.draft_check, name="draft_check"),
    path("calls/<slug:slug>/apply/<uuid:public_id>/files/", files.draft_files, name="draft_files"),
    path(
        "calls/<slug:slug>/apply/<uuid:public_id>/files/<uuid:file_id>/remove/",
        files.draft_file_remove,
        name="draft_file_remove",
    ),
    path("calls/<slug:slug>/apply/<uuid:public_id>/versions/", versions.draft_versions, name="draft_versions"),
    path(
        "calls/<slug:slug>/apply/<uuid:public_id>/versions/<int:number>/", versions.draft_version, name="draft_version"
    ),
    path(
        "calls/<slug:slug>/apply/<uuid:public_id>/versions/<int:number>/restore/",
        versions.draft_restore,
        name="draft_restore",
    ),
    path("calls/<slug:slug>/apply/<uuid:public_id>/<slug:section>/", drafts.draft_section, name="draft_section"),
    path("calls/<slug:slug>/preview/", preview.preview, name="preview"),
    path("calls/<slug:slug>/preview/<path:rest>", preview.preview, name="preview_page"),
    path("calls/<slug:slug>/remind/", reminders.remind, name="call_remind"),
    path("calls/<slug:slug>/report/", calls.call_report, name="call_report"),
    path("calls/<slug:slug>/report.csv", calls.call_report_csv, name="call_report_csv"),
    path(
        "calls/<slug:slug>/apply/<uuid:public_id>/<slug:section>/autosave/",
        drafts.draft_autosave,
        name="draft_autosave",
    ),
    path("proposals/files/<uuid:file_id>/", status.attachment, name="attachment"),
    path("proposals/invitations/<str:token>/", collaborators.collaboration, name="collaboration"),
    path("proposals/<slug:address>/", status.proposal_detail, name="proposal_detail"),
    path("proposals/<slug:address>/copy/", status.proposal_copy, name="proposal_copy"),
    path("proposals/<slug:address>/copy.pdf", status.proposal_pdf, name="proposal_pdf"),
    path("proposals/<slug:address>/messages/", status.proposal_message, name="proposal_message"),
    path("proposals/<slug:address>/resubmit/", status.proposal_resubmit, name="proposal_resubmit"),
    path("proposals/<slug:address>/people/", collaborators.team, name="team"),
    path("proposals/<slug:address>/people/<int:pk>/", collaborators.person_change, name="person_change"),
    path("proposals/<slug:address>/people/hand-over/", collaborators.hand_over, name="hand_over"),
    path("proposals/<slug:address>/people/leave/", collaborators.leave, name="leave"),
    path("proposals/<slug:address>/withdraw/", status.proposal_withdraw, name="proposal_withdraw"),
]
