"""Noise for training questions: what hurried fingers do, so that the planner does not depend on tidy English.

Placeholders stay as they are; only plain words are dropped, shortened or misspelt.
"""

import random
import re

_DROPPED = frozenset(
    "the a an of is was were are did do does has have had been be that which to for with in on please can you "
    "could tell me show give what 's any their".split()
)
_SHORT = {
    "patient": ("pt",), "patients": ("pts",), "prescribed": ("rxd", "ordered"), "prescription": ("rx",),
    "diagnosis": ("dx",), "diagnoses": ("dxs",), "diagnosed": ("dxd",), "procedure": ("proc",),
    "procedures": ("procs",), "admission": ("adm",), "hospital": ("hosp",), "medication": ("med",),
    "medications": ("meds",), "laboratory": ("lab",), "microbiology": ("micro",), "average": ("avg", "mean"),
    "maximum": ("max", "highest"), "minimum": ("min", "lowest"), "number": ("no", "#"), "hours": ("hrs",),
    "months": ("mos",), "treatment": ("tx",), "received": ("got",), "recent": ("new",), "measurement": ("meas",),
    "measured": ("taken",), "total": ("tot",), "count": ("number",), "drugs": ("meds",), "drug": ("med",),
    "commonly": ("often",), "frequent": ("common",), "with": ("w/",), "without": ("w/o",), "between": ("btw",),
    "and": ("&",), "years": ("yrs",), "discharged": ("d/c'd",), "emergency": ("emerg",), "specimen": ("sample",),
    "what": ("whats",), "intake": ("input",), "organism": ("bug",), "organisms": ("bugs",), "stay": ("admission",),
}  # fmt: skip
_BEFORE = (
    "pls",
    "please",
    "hi",
    "hey",
    "quick question",
    "can you check",
    "need",
    "looking for",
    "i want to know",
    "check",
)
_BEHIND = ("pls", "thanks", "thx", "please", "asap")
_WORD = re.compile(r"[a-z]{4,}")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def noisy(text: str, chance: random.Random) -> str:
    """The text with some words dropped, shortened or misspelt; one strength for the whole question."""
    strength = chance.random()
    words = []
    for word in text.split(" "):
        drawn = chance.random()
        if word in _DROPPED and drawn < 0.5 * strength:
            continue
        if word in _SHORT and drawn < 0.5 * strength:
            word = chance.choice(_SHORT[word])
        elif _WORD.fullmatch(word) and drawn < 0.12 * strength:
            word = _misspelt(word, chance)
        words.append(word)
    first, *rest = words  # the first says whether a patient is open
    if chance.random() < 0.1:
        rest.insert(0, chance.choice(_BEFORE))
    if chance.random() < 0.05:
        rest.append(chance.choice(_BEHIND))
    return " ".join((first, *rest))


def _misspelt(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word) - 1)
    match chance.randrange(4):
        case 0:
            return word[:at] + word[at + 1 :]
        case 1:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 2:
            return word[:at] + word[at] + word[at:]
        case _:
            row = next(row for row in _ROWS if word[at] in row)
            near = row[max(0, row.index(word[at]) - 1)]
            return word[:at] + near + word[at + 1 :]
