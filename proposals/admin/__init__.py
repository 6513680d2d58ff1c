"""Where staff and reviewers work. Every change is a verb of actions."""

from proposals.admin import calls, interests, proposals, reviews

__all__ = ["calls", "interests", "proposals", "reviews"]
