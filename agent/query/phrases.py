"""The words of sentences made from results, one file for each language, and how a query names its subject."""

from functools import cache
from importlib.resources import files

import yaml

from agent.answer import Language
from agent.query.domains import bindings
from agent.query.model import Events, Pick

NAMES_SHOWN = 3


@cache
def phrases(language: Language) -> dict:
    """All templates of a language."""
    return yaml.safe_load(
        files("agent.query").joinpath(f"phrases.{language}.yaml").read_text(encoding="utf-8")
    )


def phrase(language: Language, key: str, /, **slots: object) -> str:
    """One template (``change.rose``) with its slots filled."""
    node = phrases(language)
    for part in key.split("."):
        node = node[part]
    return str(node).format(**slots)


def assumption(language: Language, key: str) -> str:
    """The sentence of an assumption's key."""
    return phrase(language, f"assumptions.{key}")


def assumption_order(key: str) -> int:
    """How important an assumption is: its place in the phrase files, the most important first."""
    return list(phrases("en")["assumptions"]).index(key)


def label(events: Events, language: Language, n: int = 1) -> str:
    """What one (or ``n``) of these events is called."""
    at = bindings()[events.domain]
    return at.label_zh if language == "zh" else at.label_en[n != 1]


def kind(events: Events, language: Language) -> str:
    """What kind of entry these are: ``Coded diagnosis``, ``Active order``."""
    kinds = phrases(language)["kind"]
    return kinds.get(f"{events.domain}_{events.status}") or kinds[events.domain]


def value_word(field: str, value: object, language: Language) -> str:
    """A coded value in words (``f``: ``female``); as recorded where there is no word for it."""
    return phrases(language)["value"].get(field, {}).get(str(value).casefold(), str(value))


def subject(events: Events, language: Language, recorded: object = None) -> str:
    """What the sentence is about: the concept with the words that were linked to it, else the kind of event.

    Args:
        events: the events.
        language: of the sentence.
        recorded: the name as the row has it, where the sentence is about one row or one name.
    """
    named = [c for c in events.concepts if c.field == "name"]
    if not named and recorded is not None:
        return str(recorded)
    named = named or list(events.concepts)
    if not named:
        return label(events, language)
    concept = named[0]
    values = (str(recorded),) if recorded is not None and concept.field == "name" else concept.values
    if len(values) > 1 and concept.said:
        return concept.said  # of many names, which of them are recorded is for the rows to say
    shown = phrase(language, "list_separator").join(values[:NAMES_SHOWN])
    if len(values) > NAMES_SHOWN:
        shown = phrase(language, "more_names", names=shown)
    if not concept.said or concept.said.casefold() in {v.casefold() for v in values}:
        return shown
    return phrase(language, "subject_and_said", value=shown, said=concept.said)


def pick_word(pick: Pick, language: Language) -> str:
    """``latest``, ``first``, ``lowest``, ``last but 1``."""
    words = phrases(language)["pick"]
    if pick.which == "last" and pick.n > 1:
        return words["before"].format(n=pick.n if language == "zh" else pick.n - 1)
    if pick.which in ("nth", "first"):
        ordinals = words["ordinals"]
        return ordinals[pick.n - 1] if pick.n <= len(ordinals) else words["nth"].format(n=pick.n)
    return words[pick.which]
