"""The words of a text as names and context rules see them.

A word is a run of letters and digits of one script, one CJK character, or one punctuation mark. Names are
compared by normalised words: case, width, plural, British or American spelling and hyphens do not count,
nor whether a word is English or Latin (``same_words.tsv``: renal, kidney).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from knowledge.mentions.tables import table

# CJK ideographs (with extension A, compatibility forms and the supplementary planes) and kana.
CJK = "\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{CJK}]|[^\W_{CJK}]+(?:['’]s\b)?|[^\w\s]|_+")
_IS_CJK = re.compile(rf"[{CJK}]")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full-width ASCII, one for one
_JOINERS = frozenset("-‐‑–")
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8"}
"""I and V are left alone: they are letters as often (hepatitis C, vitamin K, factor V)."""
_SHORTEST_INFLECTED = 4


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text in three views of equal meaning.

    Attributes:
        raw: every word and mark in lower case and half width.
        starts, ends: where each of ``raw`` stands.
        names: the normalised words without hyphens.
        places: for each of ``names`` its index in ``raw``.
    """

    raw: list[str]
    starts: list[int]
    ends: list[int]
    names: list[str]
    places: list[int]


def words_of(text: str) -> Words:
    """The words of a text."""
    raw: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    names: list[str] = []
    places: list[int] = []
    for match in _WORD.finditer(text):
        written = match.group()
        folded, normal = _forms(written)
        if normal:
            names.append(normal)
            places.append(len(raw))
        raw.append(folded)
        starts.append(match.start())
        ends.append(match.end())
    return Words(raw, starts, ends, names, places)


def name_key(name: str) -> str:
    """The normalised words of a name, joined by blanks: equal for spellings of the same name."""
    return " ".join(words_of(name).names)


def half_width(text: str) -> str:
    """A text with its full-width letters, digits and marks half as wide; as long as before."""
    return text if text.isascii() else text.translate(_WIDE)


def has_cjk(text: str) -> bool:
    """Whether there is a Chinese character in it."""
    return not text.isascii() and _IS_CJK.search(text) is not None


@lru_cache(maxsize=65536)
def _forms(written: str) -> tuple[str, str]:
    """The lower-case and the normalised form of a word; the latter is empty for a hyphen."""
    folded = half_width(written).lower().replace("’", "'")
    if folded in _JOINERS:
        return folded, ""
    return folded, _normalised(written, folded)


def _normalised(written: str, folded: str) -> str:
    if not folded.isascii() or not folded[0].isalnum():
        return folded
    if folded.endswith("'s"):
        folded, written = folded[:-2], written[:-2]
    if folded in _ROMAN:
        return _ROMAN[folded]
    if len(folded) < _SHORTEST_INFLECTED or (written.isupper() and len(folded) == _SHORTEST_INFLECTED):
        return folded  # a short word in capitals is an abbreviation; its S is no plural (AIDS, SARS)
    normal = _american(_singular(folded))
    return _same_words().get(normal, normal)


@lru_cache(maxsize=1)
def _same_words() -> dict[str, str]:
    return {word: means for word, means in table("same_words")}


def _singular(word: str) -> str:
    for plural, singular in (("ies", "y"), ("oses", "osis"), ("ases", "asis"), ("sses", "ss"), ("xes", "x")):
        if word.endswith(plural) and len(word) > len(plural) + 2 and word not in ("diseases", "species"):
            return word[: -len(plural)] + singular
    if word.endswith("s") and word[-2] not in "suia":
        return word[:-1]
    return word


def _american(word: str) -> str:
    if len(word) < 5:
        return word
    word = word.replace("ae", "e").replace("oe", "e").replace("sulph", "sulf").replace("leuc", "leuk")
    if word.endswith("our"):
        word = word[:-3] + "or"
    return word
