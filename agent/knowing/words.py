"""The sentences of what the graphs say: one table per language (``words.en.yaml``, ``words.zh.yaml``)."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import yaml

from agent.answer import Language


@cache
def _table(language: Language) -> dict[str, dict[str, str]]:
    return yaml.safe_load(
        files("agent.knowing").joinpath(f"words.{language}.yaml").read_text(encoding="utf-8")
    )


def word(language: Language, key: str, /, **slots: object) -> str:
    """The sentence ``room.name`` in a language, filled in; an unknown key is a ``KeyError``."""
    room, name = key.split(".")
    return _table(language)[room][name].format(**slots)


def templates() -> Iterator[str]:
    """Every wording in every language, its slots unfilled."""
    for language in ("en", "zh"):
        for room in _table(language).values():
            yield from room.values()


def listed(language: Language, names: list[str] | tuple[str, ...]) -> str:
    """Names as a list within a sentence."""
    return ("、" if language == "zh" else ", ").join(names)
