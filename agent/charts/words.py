"""The words of charts: one table per language (``words.en.yaml``, ``words.zh.yaml``)."""

from functools import cache
from importlib.resources import files

import yaml

from agent.answer import Language
from agent.query.phrases import phrases


@cache
def _table(language: Language) -> dict:
    return yaml.safe_load(
        files("agent.charts").joinpath(f"words.{language}.yaml").read_text(encoding="utf-8")
    )


def word(language: Language, key: str, /, **slots: object) -> str:
    """One word or sentence (``note.replaced``) with its slots filled; an unknown key is a ``KeyError``."""
    node = _table(language)
    for part in key.split("."):
        node = node[part]
    return str(node).format(**slots)


def field_word(language: Language, field: str) -> str:
    """What a field of the records is called: ``insurance``, 保险; its own name where there is no word."""
    known = {**phrases(language)["field"], **_table(language)["field"]}
    return str(known.get(field, field.replace("_", " ")))


def headed(text: str) -> str:
    """With a capital letter, as titles begin, unless the first word may be a code or an abbreviation."""
    first = text.split(" ", 1)[0]
    return text[0].upper() + text[1:] if len(first) > 2 and first.isalpha() and first.islower() else text
