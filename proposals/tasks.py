"""Jobs of calls and proposals. Each fetches by id and calls one function."""

from celery import shared_task

from proposals import actions
from proposals.models import Attachment, Call, Panel, Proposal
from psc_portal.common.clamd import ScannerUnavailable


@shared_task(name="proposals.make_copy", soft_time_limit=300, time_limit=330)
def make_copy(proposal_pk):  # may run twice: the second finds it made
    actions.make_copy(proposal=Proposal.objects.get(pk=proposal_pk))


@shared_task(name="proposals.remind", expires=300)
def remind():  # may run twice: each reminder has a key
    actions.remind_of_calls()
    actions.remind_of_drafts()


@shared_task(name="proposals.sweep_copies", expires=60)
def sweep_copies():
    actions.sweep_copies()


@shared_task(name="proposals.infer_conflicts")
def infer_conflicts():  # may run twice: an interest is recorded once
    actions.infer_all_conflicts()


@shared_task(name="proposals.remind_reviewers")
def remind_reviewers():  # may run twice: each reminder has a key
    actions.remind_reviewers()


@shared_task(name="proposals.analyse_ranking", soft_time_limit=900, time_limit=930)
def analyse_ranking(call_pk):  # may run twice: what rests on the same scores is not worked out again
    actions.analyse_ranking(call=Call.objects.get(pk=call_pk))


@shared_task(name="proposals.make_minutes", soft_time_limit=700, time_limit=730)
def make_minutes(panel_pk):  # may run twice: what is made stays as it is
    actions.make_minutes(panel=Panel.objects.select_related("call", "chair", "closed_by").get(pk=panel_pk))


@shared_task(name="proposals.sweep_minutes", expires=300)
def sweep_minutes():
    actions.sweep_minutes()


@shared_task(name="proposals.scan_attachment")
def scan_attachment(attachment_pk):  # may run twice: the second finds it scanned; without a scanner it goes on waiting
    try:
        actions.scan_attachment(attachment=Attachment.objects.get(pk=attachment_pk))
    except ScannerUnavailable:
        return


@shared_task(name="proposals.scan_waiting", expires=50)
def scan_waiting():
    try:
        actions.scan_waiting()
    except ScannerUnavailable:
        return


@shared_task(name="proposals.thin_out_versions")
def thin_out_versions():
    actions.thin_out_versions()
