"""Everything that changes pledges."""

from pledges.actions.buddies import close_buddy, open_buddy, write_to_buddy
from pledges.actions.certificates import make_certificate, order_certificate, sweep_certificates
from pledges.actions.moderating import end_sign_up, publish_sign_up, return_sign_up, withdraw_sign_up
from pledges.actions.progress import post_progress, remind
from pledges.actions.signing import (
    ChangedMeanwhile,
    save_areas,
    save_drivers,
    save_plan,
    save_signatory,
    save_statement,
    start_sign_up,
    submit_sign_up,
)
from pledges.actions.wording import Heading, add_wording_set, invite_to_wording

__all__ = [
    "ChangedMeanwhile",
    "Heading",
    "add_wording_set",
    "close_buddy",
    "end_sign_up",
    "invite_to_wording",
    "make_certificate",
    "open_buddy",
    "order_certificate",
    "post_progress",
    "publish_sign_up",
    "remind",
    "return_sign_up",
    "save_areas",
    "save_drivers",
    "save_plan",
    "save_signatory",
    "save_statement",
    "start_sign_up",
    "submit_sign_up",
    "sweep_certificates",
    "withdraw_sign_up",
    "write_to_buddy",
]
