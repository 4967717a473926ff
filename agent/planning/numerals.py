"""Numbers as people write them in questions: digits, English words, Chinese numerals."""

import re

ENGLISH_NUMBER = (
    r"\d+(?:\.\d+)?|an?\s+(?:couple|few|half)(?:\s+of)?|couple\s+of|few|several|an?|one|two|three|four|five|six|seven|"
    r"eight|nine|ten|eleven|twelve|fourteen|fifteen|twenty|thirty|sixty|ninety"
)
HAN_NUMBER = r"\d+(?:\.\d+)?|[一二两三四五六七八九十百]+|半|几"

_WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30,
    "sixty": 60, "ninety": 90, "couple": 2, "few": 3, "several": 3, "half": 0.5, "半": 0.5, "几": 3,
}  # fmt: skip
_HAN = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}


def number(words: str) -> float | None:
    """The value of a number in digits, an English word or Chinese numerals below 1,000; ``None`` otherwise."""
    words = words.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d+)?", words):
        return float(words)
    english = re.sub(r"^an?\s+|\s+of$", "", words) or words
    if english in _WORDS:
        return float(_WORDS[english])
    if not words or not re.fullmatch("[一二两三四五六七八九十百]+", words):
        return None
    total, digit = 0, 0
    for character in words:
        if character in _HAN:
            digit = _HAN[character]
        else:
            total += (digit or 1) * (10 if character == "十" else 100)
            digit = 0
    return float(total + digit)
