"""Mentions in text: assertion in English and Chinese, diseases found and linked, speed and memory.

medspaCy runs beside on the same texts with the same names where ``--medspacy`` names a Python that has it::

    python -m benchmarks.mentions --data ../shared/data [--medspacy PYTHON] [--part devel|train] [--half held|tune]

The names are those of the core pack and of the Disease Ontology release in the data, imported into a graph of its
own. Boundaries are strict: a mention counts only with exactly the annotators' start and end.
"""

import argparse
import itertools
import json
import platform
import subprocess
import tempfile
import time
import tracemalloc
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.mention_corpora import Passage, bc5cdr, ncbi, negex, notes
from knowledge.graph import KnowledgeGraph, build_core
from knowledge.mentions import Mention, MentionFinder, NameTable
from knowledge.ontologies import import_source

ZH = Path(__file__).with_name("questions") / "assertion_zh.jsonl"
WORKER = Path(__file__).with_name("medspacy_worker.py")
PROBLEMS = frozenset(("disease", "finding"))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--medspacy", type=Path, help="a Python that has medspaCy")
    parser.add_argument("--part", choices=("devel", "train"), default="devel")
    parser.add_argument("--half", choices=("held", "tune"), default="held")
    arguments = parser.parse_args()
    console = Console()
    console.print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    if arguments.medspacy is None:
        console.print("medspaCy: not run; give --medspacy PYTHON to run it beside.")
    with tempfile.TemporaryDirectory() as folder:
        build_core(Path(folder))
        import_source(Path(folder), arguments.data / "disease-ontology" / "doid-2016-09-01.obo")
        with KnowledgeGraph.open(Path(folder)) as graph:
            begun = time.process_time()
            names = NameTable.of_graph(graph)
            loaded = time.process_time() - begun
            finder = MentionFinder.load(names)
            tracemalloc.start()  # on a second table, since it slows what it watches
            second = NameTable.of_graph(graph)
            held = tracemalloc.get_traced_memory()[0] / 1e6
            tracemalloc.stop()
            del second
            console.print(f"{len(names):,} names read in {loaded:.1f} s, held in {held:.0f} MB")
            console.print(assertion_table(finder, arguments))
            console.print(disease_table(finder, names, graph, arguments))
            console.print(speed_table(finder, graph, arguments))


def assertion_table(finder: MentionFinder, arguments: argparse.Namespace) -> Table:
    """Negation on the NegEx sentences, all assertions on the Chinese ones."""
    table = Table("Set", "System", "n", "Accuracy", "P", "R", "F1", title="Assertion")
    items, gold, guesses = [], [], []
    for one in negex(arguments.data / "negex" / "annotations-dev.tsv"):
        found = [m for m in finder.find(one.text, "en", [one.target]) if _same(m.text, one.target)]
        # The file writes the target that is meant in capitals; a word may stand in the sentence twice.
        meant = next((m for m in found if m.text.isupper()), found[0] if found else None)
        gold.append(one.negated)
        guesses.append(meant is not None and meant.assertion == "negated")
        items.append([one.text, meant.start if meant else 0, meant.end if meant else 1])
    table.add_row("negex-dev (negated or not)", "Chartroom", str(len(gold)), *_binary(gold, guesses))
    baseline = _medspacy(arguments.medspacy, {"assertion": items})
    if baseline is not None:
        table.add_row("", "medspaCy", str(len(gold)), *_binary(gold, baseline["negated"]))
    rows = [json.loads(line) for line in ZH.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["half"] == arguments.half]
    right = whose = timed = 0
    for row in rows:
        mention = next(m for m in finder.find(row["text"], None, [row["target"]]) if m.text == row["target"])
        right += mention.assertion == row["assertion"]
        whose += mention.experiencer == row["experiencer"]
        timed += "time" in row and mention.time == row["time"]
    table.add_row(
        f"assertion_zh, {arguments.half} (7 assertions)",
        "Chartroom",
        str(len(rows)),
        f"{right / len(rows):.3f}",
    )
    table.add_row("  whose it is", "Chartroom", str(len(rows)), f"{whose / len(rows):.3f}")
    dated = sum("time" in row for row in rows)
    table.add_row("  when it was", "Chartroom", str(dated), f"{timed / dated:.3f}")
    return table


def disease_table(
    finder: MentionFinder, names: NameTable, graph: KnowledgeGraph, arguments: argparse.Namespace
) -> Table:
    """Strict-boundary diseases, and the share of found ones that have the right concept."""
    data, part = arguments.data, arguments.part
    file = {"devel": "NCBIdevelopset_corpus.txt", "train": "NCBItrainset_corpus.txt"}[part]
    corpora: list[tuple[str, frozenset[str], list[Passage]]] = [
        ("ncbi-disease", frozenset(("disease",)), list(ncbi(data / "ncbi-disease" / file))),
        ("bc5cdr diseases", PROBLEMS, list(bc5cdr(data / "bc5cdr" / f"{part}.tsv", "Disease"))),
        (
            "bc5cdr chemicals",
            frozenset(("drug", "drug_class")),
            list(bc5cdr(data / "bc5cdr" / f"{part}.tsv", "Chemical")),
        ),
    ]
    table = Table("Corpus", "System", "P", "R", "F1", "Right concept", title=f"Mentions, {part}, strict")
    for corpus, types, passages in corpora:
        found = [
            [m for m in finder.find(p.text) if m.start >= p.since and _of(m, types, names)] for p in passages
        ]
        linked = _linked(graph, passages, found) if corpus == "ncbi-disease" else ""
        table.add_row(
            corpus,
            "Chartroom",
            *_strict(passages, [{(m.start, m.end) for m in one} for one in found]),
            linked,
        )
        request = {"names": _forms(graph, types), "texts": [p.text[p.since :] for p in passages]}
        baseline = _medspacy(arguments.medspacy, request)
        if baseline is not None:
            spans = [
                {(start + p.since, end + p.since) for start, end in one}
                for p, one in zip(passages, baseline["spans"], strict=True)
            ]
            table.add_row("", "medspaCy target matcher, same names", *_strict(passages, spans))
    return table


def speed_table(finder: MentionFinder, graph: KnowledgeGraph, arguments: argparse.Namespace) -> Table:
    """Processor time for a megabyte of notes with all names, assertion included."""
    texts, size = [], 0
    for note in itertools.cycle(notes(arguments.data / "aci-bench")):
        if size >= 1_000_000:
            break
        texts.append(note)
        size += len(note.encode())
    finder.find(texts[0])  # reads the rules
    begun = time.process_time()
    count = sum(len(finder.find(text)) for text in texts)
    seconds = time.process_time() - begun
    table = Table("System", "Mentions", "Seconds", title="1 MB of notes (ACI-BENCH, repeated), one core")
    table.add_row("Chartroom", f"{count:,}", f"{seconds:.1f}")
    every = frozenset(node.type for node in graph.all_nodes())
    baseline = _medspacy(arguments.medspacy, {"names": _forms(graph, every), "texts": texts})
    if baseline is not None:
        found = sum(len(one) for one in baseline["spans"])
        table.add_row("medspaCy, same names", f"{found:,}", f"{baseline['seconds']:.1f}")
    return table


def _forms(graph: KnowledgeGraph, types: Container[str]) -> list[str]:
    kinds = {node.id: node.type for node in graph.all_nodes()}
    return [
        name.form
        for concept, name in graph.all_names()
        if kinds[concept] in types and name.language == "en" and name.kind != "label"
    ]


def _of(mention: Mention, types: Container[str], names: NameTable) -> bool:
    if mention.type is not None:
        return mention.type in types
    return any(names.types[concept] in types for concept in mention.candidates)


def _linked(graph: KnowledgeGraph, passages: Sequence[Passage], found: Sequence[Sequence[Mention]]) -> str:
    """Of the gold mentions that were found and whose id some concept has: how many got such a concept."""
    held: dict[tuple[str, str], set[str]] = {}
    for concept, system, code in graph.rows(
        "SELECT id, system, code FROM code JOIN concept USING (concept_key) WHERE system IN ('mesh', 'omim')"
    ):
        held.setdefault((system, code), set()).add(concept)
    right = total = linkable = 0
    for passage, mentions in zip(passages, found, strict=True):
        for gold in passage.gold:
            concepts = set().union(*(held.get(code, set()) for code in gold.codes))
            here = [m.concept for m in mentions if (m.start, m.end) == (gold.start, gold.end)]
            linkable += bool(concepts)
            if concepts and here:
                total += 1
                right += not concepts.isdisjoint(here)
    return f"{right / total:.3f} of {total} found of {linkable}"


def _strict(passages: Sequence[Passage], found: Sequence[set[tuple[int, int]]]) -> tuple[str, str, str]:
    gold = [{(one.start, one.end) for one in passage.gold} for passage in passages]
    hits = sum(len(one & other) for one, other in zip(gold, found, strict=True))
    return _figures(hits, sum(map(len, found)), sum(map(len, gold)))


def _binary(gold: Sequence[bool], guesses: Sequence[bool]) -> tuple[str, str, str, str]:
    pairs = list(zip(gold, guesses, strict=True))
    accuracy = sum(one == other for one, other in pairs) / len(pairs)
    hits = sum(one and other for one, other in pairs)
    return f"{accuracy:.4f}", *_figures(hits, sum(guesses), sum(gold))


def _figures(hits: int, found: int, gold: int) -> tuple[str, str, str]:
    """Precision, recall and F1."""
    return (
        f"{hits / max(1, found):.3f}",
        f"{hits / max(1, gold):.3f}",
        f"{2 * hits / max(1, found + gold):.3f}",
    )


def _same(text: str, target: str) -> bool:
    return text.lower().split() == target.lower().split()


def _medspacy(python: Path | None, request: Mapping[str, object]) -> dict[str, Any] | None:
    if python is None:
        return None
    run = subprocess.run(
        [str(python), str(WORKER)],
        input=json.dumps(dict(request)),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise SystemExit(f"{python} could not run medspaCy:\n{run.stderr[-2000:]}")
    return json.loads(run.stdout)


if __name__ == "__main__":
    main()
