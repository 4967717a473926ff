"""The planner's own sentences, one table for both languages (``phrases.yaml``)."""

from functools import cache
from importlib.resources import files

import yaml

from agent.answer import Language


@cache
def _phrases() -> dict[str, dict[str, str]]:
    return yaml.safe_load(files("agent.planning").joinpath("phrases.yaml").read_text(encoding="utf-8"))


def phrase(language: Language, key: str, /, **values: object) -> str:
    """A sentence in a language, filled in; an unknown key is a ``KeyError``."""
    return _phrases()[key][language].format(**values)
