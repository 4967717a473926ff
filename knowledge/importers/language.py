"""Which language a note is in."""

# A Chinese note is full of Latin letters (drug names, units, WBC, CRP); an English one has Chinese characters
# only in a name. Among 100 letters and characters, 15 Chinese ones already say as much as 85 Latin ones.
CHINESE_SHARE = 0.15


def language_of(text: str) -> str | None:
    """``zh`` or ``en`` by the share of Chinese characters among all letters; ``None`` without letters."""
    chinese = sum("\u3400" <= character <= "\u9fff" for character in text)
    latin = sum(character.isascii() and character.isalpha() for character in text)
    if not chinese + latin:
        return None
    return "zh" if chinese / (chinese + latin) >= CHINESE_SHARE else "en"
