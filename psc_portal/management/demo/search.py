"""Words of the field that mean the same, for the search."""

from psc_portal.search import actions, words

SYNONYMS = [
    ["pressure ulcer", "bed sore", "bedsore", "pressure sore", "pressure damage"],
    ["fall", "slip", "trip"],
    ["infection", "HCAI", "healthcare associated infection"],
    ["medicine", "medication", "drug"],
    ["handover", "transfer of care", "transition of care"],
    ["sepsis", "septicaemia", "blood poisoning"],
    ["deterioration", "deteriorating patient", "NEWS2"],
    ["delirium", "acute confusion"],
    ["restraint", "restrictive practice"],
    ["run chart", "control chart", "SPC"],
    ["bursary", "grant", "funding"],
]


def make(world):
    for terms in SYNONYMS:
        actions.add_synonym(terms=terms, by=world.users["staff"])
    words.learn_words()
