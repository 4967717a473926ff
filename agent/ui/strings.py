"""The words of the page: one table per language (``strings.en.yaml``, ``strings.zh.yaml``)."""

from functools import lru_cache
from importlib.resources import files

import yaml

from agent.answer import Language


@lru_cache
def strings(language: Language) -> dict[str, str]:
    """All words of the page in a language; both tables have the same keys."""
    return yaml.safe_load(files("agent.ui").joinpath(f"strings.{language}.yaml").read_text(encoding="utf-8"))


def examples(language: Language, *, many: bool) -> list[str]:
    """Questions to begin with: about one patient, or about all."""
    return strings(language)["examples_many" if many else "examples_one"].splitlines()
