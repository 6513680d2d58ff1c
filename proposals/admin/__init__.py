"""Where staff and reviewers work. Every change is a verb of actions."""

from proposals.admin import calls, interests, messages, proposals, reviews

__all__ = ["calls", "interests", "messages", "proposals", "reviews"]
