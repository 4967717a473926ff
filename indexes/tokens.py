"""Words of a text with their places, the same for values, queries and questions.

A token is a decimal number, a run of letters and digits, or a single CJK character: Chinese is written
without spaces, so characters are its smallest findable units and a term is a phrase of them.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from knowledge.mentions.words import CJK

_TOKEN = re.compile(rf"[{CJK}]|\d+(?:\.\d+)+|[^\W_{CJK}]+")
_CJK_CHARACTER = re.compile(rf"[{CJK}]")


@dataclass(frozen=True, slots=True)
class Token:
    """A normalised word and the ``[start, end)`` code points it stands for."""

    text: str
    start: int
    end: int


def tokenise(text: str) -> Iterator[Token]:
    """Stream the tokens of ``text`` in order; punctuation and spaces separate and are dropped."""
    for match in _TOKEN.finditer(text):
        yield Token(_fold(match.group()), match.start(), match.end())


def normalise(text: str) -> str:
    """The tokens of ``text`` joined by single spaces: equal for spellings that differ only in form."""
    if text.isascii():  # the same, four times as fast: a dictionary has hundreds of thousands of entries
        return " ".join(_TOKEN.findall(text.lower()))
    return " ".join(token.text for token in tokenise(text))


def is_cjk(token: str) -> bool:
    """Whether a token is a CJK character."""
    return _CJK_CHARACTER.match(token) is not None


def space_cjk(text: str) -> str:
    """``text`` with every CJK character set apart by spaces, for a tokenizer that splits at spaces."""
    return _CJK_CHARACTER.sub(r" \g<0> ", text)


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """Normalised words that carry no clinical content in a question (``stopwords.tsv``)."""
    lines = files("indexes").joinpath("stopwords.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return frozenset(normalise(line.split("\t")[0]) for line in lines)


def _fold(word: str) -> str:
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFKD", word)
    return "".join(c for c in decomposed if not unicodedata.combining(c)).casefold()
