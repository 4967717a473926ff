"""What the model that plans is told, read from ``prompts/planner.yaml``, where its parts are explained."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from agent.answer import Language
from agent.query.model import Concept, Domain


class _Text(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sample(_Text):
    """A value that fills a slot of an example question."""

    domain: Domain
    field: str
    value: str
    en: str
    zh: str

    def said(self, language: Language) -> str:
        """Its words in a question."""
        return self.en if language == "en" else self.zh

    def concept(self, said: str) -> Concept:
        """What it is linked to."""
        return Concept(field=self.field, values=(self.value,), said=said)


class Confidence(_Text):
    """The map from mean log-probability to confidence, and how it was obtained."""

    obtained: str
    intercept: float
    slope: float


class PromptText(_Text):
    """The content of the file; ``number`` and ``n`` are the samples of numbers."""

    system: str
    question: str
    repair: str
    words: Mapping[str, tuple[str, ...]]
    samples: Mapping[str, Sample]
    number: tuple[float, str]
    n: int
    confidence: Confidence

    @model_validator(mode="before")
    @classmethod
    def _split_samples(cls, data: dict[str, Any]) -> dict[str, Any]:
        samples = dict(data["samples"])
        number, n = samples.pop("number"), samples.pop("n")
        return {**data, "samples": samples, "number": (number["value"], number["unit"]), "n": n}


@cache
def prompt_text() -> PromptText:
    """The text that is in use."""
    text = files("agent.planning").joinpath("prompts", "planner.yaml").read_text(encoding="utf-8")
    return PromptText.model_validate(yaml.safe_load(text))
