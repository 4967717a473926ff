"""Which relations a question asks about, by its words: the table ``relation_words.tsv``."""

import csv
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from io import StringIO


def asked_relations(question: str) -> frozenset[str]:
    """The relations that the words of a question, in English or Chinese, may mean; none where it names none."""
    folded = question.casefold()
    return frozenset(name for name, pattern in _patterns().items() if pattern.search(folded))


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    text = files("indexes").joinpath("relation_words.tsv").read_text("utf-8")
    rows = csv.DictReader(StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    patterns = {}
    for row in rows:
        english = "|".join(re.escape(words) for words in row["words_en"].split("|"))
        chinese = "|".join(re.escape(words) for words in row["words_zh"].split("|"))
        patterns[row["relation"]] = re.compile(rf"\b(?:{english})\b|{chinese}")
    return patterns
