"""How well the planner understands kinds of questions that it was never trained on.

A fifth of the templates of EHRSQL-2024 train (statements without their values) are held out entirely: their
questions, and every question template and catalogue example of ours whose plan is the same but for names and times.
The network is trained on the rest, from scratch, and asked the held-out questions; right is who gets the rows of the
published query::

    python -m benchmarks.template_holdout --data ../shared/data/ehrsql-2024 --questions questions.jsonl --out FOLDER

``questions.jsonl`` is what ``benchmarks.ehrsql_expressiveness --out`` writes.
"""

import argparse
import hashlib
import json
import re
from collections import Counter
from pathlib import Path

from agent.bundled.calibrate import judged
from agent.bundled.training.__main__ import read_corpus, train
from agent.bundled.training.fit import Corpus, Recipe
from benchmarks.ehrsql.skeleton import skeleton

NOW = "2100-12-31 23:59:00"
_SHARE = 5
_TIME = re.compile(r"\b(?:[te]\d(?:@\w+)?|this_admission|this_icu)\b ?")
_PLACE = re.compile(r"\b([vn])\d")


def kind(plan: str) -> str:
    """A script without its times and the numbers of its pointers."""
    return _PLACE.sub(r"\1", _TIME.sub("", plan)).strip()


def main() -> None:
    """Train without a fifth of the templates and measure on their questions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of EHRSQL-2024")
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=5)
    given = parser.parse_args()
    published = json.loads((given.data / "train" / "label.json").read_text(encoding="utf-8"))
    template = {name: skeleton(sql) for name, sql in published.items() if sql != "null"}
    apart = {
        name
        for name in set(template.values())
        if int(hashlib.sha256(name.encode()).hexdigest(), 16) % _SHARE == 0
    }
    store = given.data / "mimic_iv.sqlite"
    corpus = read_corpus([(given.questions, store)], NOW)
    questions = [*corpus.questions, *corpus.apart]
    held = [sample for sample in questions if template.get(sample.id) in apart]
    kinds = {kind(sample.plan) for sample in held}
    rest = Corpus(
        *(
            [s for s in group if template.get(s.id) not in apart and kind(s.plan) not in kinds]
            for group in (questions, corpus.templates, corpus.catalogue)
        ),
        apart=held,
    )
    print(
        f"{len(apart)} templates with {len(held)} questions held out, {len(kinds)} kinds of plan", flush=True
    )
    network = train(rest, given.out, Recipe(epochs=given.epochs))
    ids = {sample.id for sample in held}
    found = Counter(right for _, right, _ in judged(given.questions, store, NOW, network, ids))
    print(
        f"execution accuracy on held-out templates: {found[True]}/{len(held)} = {found[True] / len(held):.1%}"
    )


if __name__ == "__main__":
    main()
