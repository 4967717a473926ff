"""Checks every question template: its plan is a script, for what the question names.

::

python -m agent.bundled.training.check [--show 20]
"""

import argparse
import random
import sys
from collections import Counter

from agent.bundled import script
from agent.bundled.pointers import MOST, Pointers
from agent.bundled.training.templates import Pair, generate, load_templates, realise
from agent.planning.link import Candidate, Link, Linked, TimeLink
from agent.query.model import Encounter, Window
from knowledge.errors import QueryRejected

_ANYTIME = Window(start="2100-01-01 00:00:00")


def pointers_of(pair: Pair) -> Pointers:
    """What the placeholders of a generated question stand for, as if they had been linked."""
    values = []
    for place in range(1, MOST["v"] + 1):
        tag = pair.tags.get(f"v{place}")
        if tag is not None:
            domain, _, field = tag.partition(".")
            candidate = Candidate(domain, field or "name", f"value {place}", 1.0, "exact", 1)  # pyright: ignore[reportArgumentType]
            values.append(Link(0, 0, f"value {place}", (candidate,)))
    count = Counter(kind for kind in "ten" for place in range(1, 9) if f"<{kind}{place}>" in pair.text)
    times = [TimeLink(0, 0, "", window=_ANYTIME)] * count["t"]
    times += [TimeLink(0, 0, "", encounter=Encounter(which="first"))] * count["e"]
    numbers = ((0, 0, 20.0, None),) * count["n"]
    return Pointers(Linked(tuple(values), tuple(times), (), numbers), pair.language, 1)


def fault_of(pair: Pair) -> str | None:
    """What is wrong with a pair, or ``None``."""
    if pair.plan in script.ASIDES:
        return None
    try:
        script.parse(pair.plan.split(), pointers_of(pair))
    except QueryRejected:
        tokens = pair.plan.split()
        for at in range(len(tokens)):
            if tokens[at] not in script.allowed_next(tokens[:at], pointers_of(pair)):
                return f"token {at + 1} {tokens[at]!r} may not stand there"
        return "it is not finished, or its parts do not go together"
    return None


def main() -> int:
    """Prints what is wrong, and how many questions there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", type=int, default=0, help="print so many questions")
    show = parser.parse_args().show
    faults = []
    chance = random.Random(0)
    for template in load_templates():
        for ask in template.ask:
            for _ in range(4):
                try:
                    pair = realise(template, ask, chance)
                    fault = fault_of(pair)
                except (ValueError, QueryRejected) as error:
                    fault = str(error)
                if fault is not None:
                    faults.append(f"{template.language}/{template.file}: {template.plan}\n  {ask}\n  {fault}")
                    break
    print("\n".join(faults))  # noqa: T201
    pairs = list(generate(1, {"en": 2, "zh": 2}))
    for pair in random.Random(2).sample(pairs, min(show, len(pairs))):
        print(pair.text, "  =>  ", pair.plan)  # noqa: T201
    counts = Counter(template.language for template in load_templates())
    wordings = Counter(t.language for t in load_templates() for _ in t.ask)
    print(f"templates {dict(counts)}, wordings {dict(wordings)}, faults {len(faults)}")  # noqa: T201
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
