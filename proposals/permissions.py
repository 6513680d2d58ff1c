"""Who may do what with calls, proposals and reviews. Asked by the action to refuse, by the page to hide the button."""

from proposals.models import CalibrationExample, Call, Collaborator, Proposal


def is_staff(user, obj=None) -> bool:
    return user.is_authenticated and user.is_programme_staff


can_manage_call = is_staff


def can_apply(user, call) -> bool:
    return user.is_authenticated and call.status != Call.Status.DRAFT


def can_edit(user, proposal) -> bool:
    """The applicant, and whoever the applicant invited to write."""
    if not user.is_authenticated:
        return False
    if proposal.applicant_id == user.pk:
        return True
    writers = Collaborator.objects.current().filter(proposal=proposal, user=user, role=Collaborator.Role.EDIT)
    return writers.exists()


def can_read(user, proposal) -> bool:
    """Whether the user is of the team, now."""
    return user.is_authenticated and Proposal.objects.of_team(user).filter(pk=proposal.pk).exists()


def can_submit(user, proposal) -> bool:
    return user.is_authenticated and proposal.applicant_id == user.pk


can_withdraw = can_submit
can_manage_team = can_submit


def can_leave(user, proposal) -> bool:
    """Whoever was invited and has accepted; the applicant hands the proposal over first."""
    if not user.is_authenticated:
        return False
    return Collaborator.objects.current().filter(proposal=proposal, user=user).exists()


def can_resubmit(user, proposal) -> bool:
    """The applicant, once it has come to an end that a later call can change and the applicant has been told."""
    if not can_submit(user, proposal) or proposal.submitted_at is None:
        return False
    again = (Proposal.Status.DECLINED, Proposal.Status.RESERVE, Proposal.Status.INELIGIBLE, Proposal.Status.WITHDRAWN)
    return proposal.status_for_team in again


def can_handle(user, proposal) -> bool:
    """Staff, but for drafts (their authors' only) and for proposals in which they have an interest themselves."""
    return is_staff(user) and Proposal.objects.seen_by_staff(user).filter(pk=proposal.pk).exists()


def can_discuss(user, proposal) -> bool:
    """Whoever has no interest in it: nobody else gives it a panel score, decides on it or counts to its quorum."""
    if not user.is_authenticated or not user.is_active:
        return False
    submitted = Proposal.objects.exclude(status=Proposal.Status.DRAFT).filter(pk=proposal.pk)
    return submitted.clear_of_conflict_with(user).exists()


def can_answer(user, proposal) -> bool:
    """Staff without an interest in it; questions on drafts too."""
    return is_staff(user) and Proposal.objects.answered_by(user).filter(pk=proposal.pk).exists()


def can_answer_message(user, message) -> bool:
    return can_answer(user, message.proposal)


def _sees_all_of(user, call) -> bool:
    assessed = Proposal.objects.filter(call=call, status__in=Proposal.ELIGIBLE)
    return not assessed.exclude(pk__in=assessed.seen_by_staff(user).order_by().values("pk")).exists()


def can_read_minutes(user, panel) -> bool:
    """Staff without an interest in anything of the call. The minutes are one file with one checksum: a version with
    an item cut out would be another document, so who has an interest asks a colleague for what concerns them."""
    return is_staff(user) and _sees_all_of(user, panel.call)


def can_release_all_letters(user, call) -> bool:
    """Staff who may see every letter: what one cannot see one cannot send."""
    return is_staff(user) and _sees_all_of(user, call)


def can_answer_assignment(user, assignment) -> bool:
    """The reviewer it was given to, who says whether there is an interest, or declines."""
    return user.is_authenticated and user.is_reviewer and assignment.reviewer_id == user.pk


def can_handle_assignment(user, assignment) -> bool:
    return can_handle(user, assignment.proposal)


def can_write_review(user, review) -> bool:
    """The reviewer, cleared and without any interest in the proposal."""
    return (
        user.is_authenticated
        and user.is_reviewer
        and review.reviewer_id == user.pk
        and Proposal.objects.seen_by_reviewer(user).filter(pk=review.proposal_id).exists()
    )


def can_unlock_review(user, review) -> bool:
    """The reviewer until the others' scores were shown to them; from then on staff only."""
    if can_write_review(user, review):
        return review.others_seen_at is None or is_staff(user)
    return can_handle(user, review.proposal)


def can_be_reviewer_of(user, proposal) -> bool:
    """Whether `user` is a reviewer without an interest, declared, recorded or inferred."""
    clear = Proposal.objects.filter(pk=proposal.pk).clear_of_conflict_with(user)
    return user.is_active and user.is_reviewer and clear.exists()


def can_score_example(user, example) -> bool:
    """A reviewer of its call; staff who review too."""
    return (
        user.is_authenticated
        and user.is_reviewer
        and CalibrationExample.objects.visible_to(user).filter(pk=example.pk).exists()
    )
