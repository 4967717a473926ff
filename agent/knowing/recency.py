"""How long ago a thing may be for a fact that speaks of a present or recent one (``recency.tsv``).

"Active bleeding" bars an anticoagulant while the bleeding is recent; "any previous stroke" bars prasugrel for good.
The fact says which, in its own words; how long an acute state lasts whatever the fact is ``episodes.tsv``.
"""

import csv
import re
from functools import cache
from importlib.resources import files

from knowledge.graph import Edge


def days_of(edge: Edge) -> int | None:
    """The days after which what a fact speaks of no longer counts; ``None`` where it always does."""
    if not edge.detail_en:
        return None
    return next((days for words, days in _rules() if words.search(edge.detail_en)), None)


@cache
def _rules() -> tuple[tuple[re.Pattern[str], int | None], ...]:
    lines = files("agent.knowing").joinpath("recency.tsv").read_text(encoding="utf-8").splitlines()
    return tuple(
        (re.compile(row["words"], re.IGNORECASE), int(row["days"]) if row["days"] else None)
        for row in csv.DictReader(lines, delimiter="\t")
    )
