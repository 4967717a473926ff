"""When two names are the same, and when they are compatible where a shared code vouches for the rest."""

import re
from functools import cache, lru_cache

from knowledge.ontologies.codes import rows
from knowledge.terminology.terminology import fold

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_BREAKS = re.compile(r"[-‐–/,;:]|\s+")


@lru_cache(maxsize=1 << 14)
def same(form: str) -> str:
    """A key that two names share if they differ at most in case, width, hyphens, commas and possessive s."""
    folded = fold(form).replace("'s ", " ").replace("'", "")
    return " ".join(_BREAKS.sub(" ", folded).split())


@lru_cache(maxsize=1 << 14)
def words(form: str) -> frozenset[str]:
    """The words of a name that carry its meaning, in the singular; brackets and ``fillers.tsv`` left out."""
    bare = (word for word in same(_BRACKETS.sub(" ", form)).split() if word not in _fillers())
    return frozenset(
        word if len(word) < 4 or word.endswith("ss") else word.removesuffix("s") for word in bare
    )


def compatible_types(one: str, other: str) -> bool:
    """Whether a thing can be both; what one release calls a disease, another calls a finding."""
    return one == other or {one, other} <= _CONDITIONS


_CONDITIONS = frozenset({"disease", "finding"})


@cache
def _fillers() -> frozenset[str]:
    return frozenset(row["word"] for row in rows("fillers.tsv"))
