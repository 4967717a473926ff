"""The common words of questions, from the examples; they are never taken for misspelt values."""

import re
from functools import cache

from agent.planning.intent import load_asides, load_intents
from agent.planning.times import half_width


@cache
def _common_words() -> frozenset[str]:
    texts = [text for intent in load_intents() for text in intent.en]
    texts += [aside.text for aside in load_asides() if aside.language == "en"]
    return frozenset(
        word for text in texts for word in re.findall(r"[a-z]+", re.sub(r"\{\w+\}", " ", text.lower()))
    )


@cache
def _han_examples() -> str:
    texts = [text for intent in load_intents() for text in intent.zh]
    return "\n".join(re.sub(r"\{\w+\}", "\n", text) for text in texts)


def is_common(text: str) -> bool:
    """Whether a text is made of the words that all questions use ("admission", "列出", "results")."""
    folded = half_width(text).strip()
    words = re.findall(r"[a-z]+", folded)
    if words:
        return all(word in _common_words() for word in words)
    return bool(folded) and folded in _han_examples()
