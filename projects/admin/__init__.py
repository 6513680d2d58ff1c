"""Where staff look after organisations, priorities and projects. Every change is a verb of actions."""

from projects.admin import consultations, events, learning, organisations, priorities, projects, proposed

__all__ = ["consultations", "events", "learning", "organisations", "priorities", "projects", "proposed"]
