"""Where staff and reviewers work. Every change is a verb of actions."""

from proposals.admin import calibration, calls, interests, messages, proposals, questions, reviews

__all__ = ["calibration", "calls", "interests", "messages", "proposals", "questions", "reviews"]
