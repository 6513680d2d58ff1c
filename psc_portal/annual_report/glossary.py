"""Words of the field that a reader may not know. A report explains those that it uses."""

import re

TERMS = {
    "Balancing metric": "A metric that watches whether an improvement makes something else worse.",
    "Common cause": "Variation that is always there, by chance. One higher or lower value means nothing by itself.",
    "Delirium": "Sudden confusion, often in older people in hospital. It can be prevented and treated.",
    "Evidence level": "How sure we can be that something works, from 0 (an idea) to 5 (trials or national guidance).",
    "Human factors": "Designing work so that people find it easy to do the right thing.",
    "ICB": "Integrated care board: the body that plans and pays for care in one part of the region.",
    "Mean": "The average of the values on a chart.",
    "Must-do topic": "A subject that every patient safety collaborative in England works on.",
    "NEWS2": "A score from routine observations that shows when a patient is getting worse.",
    "Occupied bed day": "One patient in one hospital bed for one day. Rates are counted per 1,000 of them.",
    "PDSA": "Plan, do, study, act: trying a change on a small scale, looking at what happened, and deciding what next.",
    "Pledge": "What an organisation has said in public that it will do to make care safer.",
    "Pressure ulcer": "Damage to the skin from pressure, in categories 1 to 4 from mild to severe.",
    "Process limit": "The lines between which values vary by chance alone.",
    "Restrictive intervention": "Holding or otherwise limiting a person's freedom to move.",
    "Special cause": "A sign that something has changed: a value or a run of values that chance does not explain.",
    "SPC": "Statistical process control: charts that tell real change from chance.",
    "Target": "The value that a metric is meant to reach.",
}


def used_in(value) -> list[list[str]]:
    """The terms that occur in the strings of a nested value, with their meaning, in alphabetical order."""
    text = "\n".join(_strings(value))
    return [[term, meaning] for term, meaning in TERMS.items() if re.search(rf"\b{_stem(term)}", text, re.IGNORECASE)]


def _stem(term: str) -> str:
    return re.escape(term).replace(r"\ ", r"[\s-]")


def _strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
