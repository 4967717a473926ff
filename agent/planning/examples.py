"""The example questions that the classifier learns from, each with its label and who wrote it."""

from dataclasses import dataclass
from typing import Literal

from agent.answer import Language
from agent.planning.intent import load_asides, load_intents, load_wordings
from agent.planning.mask import mask_example

LANGUAGES: tuple[Language, ...] = ("en", "zh")
ASIDE = "!"  # labels of other questions: "!note", "!action", "!absent", "!outside", "!judgement"


@dataclass(frozen=True, slots=True)
class Example:
    """One example question.

    Attributes:
        masked: with placeholders, as questions are compared.
        label: an intent, or an aside with a leading ``!``.
        author: ``catalogue`` or ``wordings``; what is learnt from one is measured on the other.
    """

    masked: str
    label: str
    language: Language
    author: Literal["catalogue", "wordings"]


def examples() -> list[Example]:
    """All examples of all intents and all asides, both languages."""
    wordings = load_wordings()
    found = [
        Example(
            mask_example(text, language),
            intent.intent,
            language,
            "wordings" if text in wordings[language].get(intent.intent, ()) else "catalogue",
        )
        for intent in load_intents()
        for language in LANGUAGES
        for text in intent.examples(language)
    ]
    return found + [
        Example(mask_example(aside.text, aside.language), f"{ASIDE}{aside.kind}", aside.language, "catalogue")
        for aside in load_asides()
    ]
