"""The common words of questions, from the examples and a list; they are never taken for misspelt values."""

import re
from functools import cache
from importlib.resources import files

from agent.planning.intent import load_asides, load_intents
from agent.planning.times import half_width

_ENDINGS = (
    ("ies", "y"),
    ("es", ""),
    ("es", "e"),
    ("s", ""),
    ("ed", ""),
    ("ed", "e"),
    ("ing", ""),
    ("ing", "e"),
)


@cache
def _common_words() -> frozenset[str]:
    texts = [text for intent in load_intents() for text in intent.en]
    texts += [aside.text for aside in load_asides() if aside.language == "en"]
    return frozenset(
        word for text in texts for word in re.findall(r"[a-z]+", re.sub(r"\{\w+\}", " ", text.lower()))
    )


@cache
def _ordinary_words() -> frozenset[str]:
    lines = files("agent.planning").joinpath("ordinary_words.tsv").read_text(encoding="utf-8").splitlines()
    return frozenset(line.split("\t")[0] for line in lines[1:])


@cache
def _han_examples() -> str:
    texts = [text for intent in load_intents() for text in intent.zh]
    return "\n".join(re.sub(r"\{\w+\}", "\n", text) for text in texts)


def is_ordinary(word: str) -> bool:
    """Whether a lower-case English word, or the word that it is a regular form of, is on the list."""
    return word in _ordinary_words() or any(
        word.endswith(ending) and word.removesuffix(ending) + instead in _ordinary_words()
        for ending, instead in _ENDINGS
    )


def is_common(text: str) -> bool:
    """Whether a text is made of the words that all questions use ("admission", "列出", "results")."""
    folded = half_width(text).strip()
    words = re.findall(r"[a-z]+", folded)
    if words:
        return all(word in _common_words() or is_ordinary(word) for word in words)
    return bool(folded) and folded in _han_examples()
