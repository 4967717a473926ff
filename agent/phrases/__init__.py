"""The agent's own words: one table per language (``en.yaml``, ``zh.yaml``)."""

from functools import lru_cache
from importlib.resources import files

import yaml

from agent.answer import Language


@lru_cache
def _table(language: Language) -> dict[str, dict[str, str]]:
    return yaml.safe_load(files("agent.phrases").joinpath(f"{language}.yaml").read_text(encoding="utf-8"))


def say(language: Language, key: str, /, **values: object) -> str:
    """The phrase ``room.name`` in a language, filled in; an unknown key is a ``KeyError``."""
    room, name = key.split(".")
    return _table(language)[room][name].format(**values)


def name_of(language: Language, room: str, key: str | None) -> str:
    """The display name of ``key`` in a room of names; the key itself where the room has none."""
    return _table(language)[room].get((key or "").lower(), key or "")
