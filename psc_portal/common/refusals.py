class ActionRefused(Exception):
    """A rule says no. The message is one sentence for the person: what is wrong and what to do."""
