"""What a masked question consists of, as the classifier sees it: meanings, pairs of meanings, words.

Meanings (``meanings.yaml``) are shared by both languages, so that what is learnt from an English example
helps the same question in Chinese; words and their neighbours add what no meaning covers.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise

import yaml

_IGNORED = frozenset({"<patient>", "<named>"})  # who is asked about does not tell what is asked


@cache
def _meanings() -> Mapping[str, re.Pattern[str]]:
    content = yaml.safe_load(files("agent.planning").joinpath("meanings.yaml").read_text(encoding="utf-8"))
    return {name: re.compile("|".join(f"(?:{p})" for p in patterns)) for name, patterns in content.items()}


def meanings(text: str) -> Counter[str]:
    """The meanings and placeholders of a masked text, alone and in pairs."""
    single = {name for name, pattern in _meanings().items() if pattern.search(text)}
    placeholders = Counter(p for p in re.findall(r"<\w+>", text) if p not in _IGNORED)
    found = Counter({**dict.fromkeys(single, 1), **placeholders})
    ordered = sorted(found)
    for position, first in enumerate(ordered):
        for second in ordered[position + 1 :]:
            found[f"{first}&{second}"] = 1
    return found


def words(text: str) -> Counter[str]:
    """The words (Chinese: characters) and placeholders of a masked text, alone and with the next one."""
    tokens = [
        token[:-1] if len(token) > 3 and token.endswith("s") and not token.endswith("ss") else token
        for token in re.findall(r"<\w+>|[a-z0-9+-]+|[\u3400-\u9fff]", text)
        if token not in _IGNORED
    ]
    return Counter(tokens) + Counter(f"{a} {b}" for a, b in pairwise(tokens))


def damped(count: int) -> float:
    """The weight of a feature that occurs ``count`` times."""
    return 1.0 + math.log(count)
