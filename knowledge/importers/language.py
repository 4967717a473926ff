"""Which language a note is in."""

import re

# A Chinese note is full of Latin words (drug names, units, WBC, CRP); an English one has Chinese characters
# only in names. Characters are weighed against words, as one carries about as much as one short word.
CHINESE_SHARE = 0.25
_CHINESE = re.compile("[\u3400-\u9fff]")
_LATIN_WORD = re.compile("[A-Za-z]+")


def language_of(text: str) -> str | None:
    """``zh`` or ``en`` by the share of Chinese characters among them and Latin words; else ``None``."""
    chinese = sum(1 for _ in _CHINESE.finditer(text))
    latin = sum(1 for _ in _LATIN_WORD.finditer(text))
    if not chinese + latin:
        return None
    return "zh" if chinese / (chinese + latin) >= CHINESE_SHARE else "en"
