"""How the knowledge graph carries size: opening, memory and explanations of three hops.

Generates 50,000 concepts, 2 million relations with hubs as real graphs have them (the more relations a concept has,
the more it gets) and a store of 1,000 patients with eight coded problems each; writes them as an import does; then, in
a fresh process, opens the graph and the patients' graph (every byte checked), measures how much memory grows, and
asks for each patient what connects a finding with the problems on record, in up to three hops::

    python -m benchmarks.graph_scale

Beside it stands a plain breadth-first search with networkx over the same relations in memory (``--baseline``).
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil

from knowledge.graph import KnowledgeGraph
from knowledge.graph.neighbours import CAP
from knowledge.graph.walk import paths
from knowledge.graph.write import DATABASE, checked, writing
from knowledge.mentions import MentionFinder
from knowledge.mentions.names import NameTable
from knowledge.patients import PatientGraph, update
from knowledge.store import RecordStore

RELATIONS = (
    "is_a",
    "treats",
    "causes",
    "symptom_of",
    "risk_factor_of",
    "adverse_effect",
    "interacts_with",
    "contraindicated_when",
    "diagnosed_by",
    "monitored_by",
)
TYPES = ("disease", "drug", "finding", "lab")
BATCH = 50_000
PROBLEMS = 8


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--concepts", type=int, default=50_000)
    parser.add_argument("--edges", type=int, default=2_000_000)
    parser.add_argument("--patients", type=int, default=1_000)
    parser.add_argument("--folder", type=Path, help="keep the graph there, or use the one that is there")
    parser.add_argument("--baseline", action="store_true", help="breadth-first search in memory, too")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--ask", action="store_true", help=argparse.SUPPRESS)  # the fresh process
    arguments = parser.parse_args()
    if arguments.ask:
        print(json.dumps(_ask(arguments.folder, arguments.concepts, arguments.patients, arguments.baseline)))
        return
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="graph-scale-"))
    try:
        built = None
        if not (folder / "graph" / "current").exists():
            built = _build(folder / "graph", arguments.concepts, arguments.edges)
            _admit(folder, arguments.concepts, arguments.patients)
        command = [sys.executable, "-m", "benchmarks.graph_scale", "--ask", "--folder", str(folder)]
        command += ["--concepts", str(arguments.concepts), "--patients", str(arguments.patients)]
        asked = subprocess.run(
            [*command, *(["--baseline"] if arguments.baseline else [])],
            check=True,
            capture_output=True,
            text=True,
        )
        measured = {"build_s": built, **json.loads(asked.stdout)}
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder)
    if arguments.json:
        print(json.dumps(measured, indent=2))
        return
    print(f"| measure | value |\n|---|---|\n| hub cap | {CAP} relations a side |")
    for name, value in measured.items():
        if value is not None:
            print(f"| {name} | {value:,.4g} |" if isinstance(value, float) else f"| {name} | {value:,} |")


def _build(folder: Path, concepts: int, edges: int) -> float:
    """Write the graph; gives the seconds that it took."""
    began = time.perf_counter()
    numbers = np.random.default_rng(20261121)
    # Zipf-like: some concepts have tens of thousands of relations, most have a few dozen.
    weights = 1.0 / np.arange(10, concepts + 10) ** 0.75
    shares = weights / weights.sum()
    order = numbers.permutation(concepts)
    with writing(folder) as writer:
        source = writer.source("generated", title="Generated", format="benchmark", version="1", sha256="0")
        keys = []
        for number in range(concepts):
            key = writer.concept(f"generated:{number}")
            keys.append(key)
            kind = TYPES[number % len(TYPES)]
            writer.claim(
                key, source, term=f"generated:{number}", type=kind, en=f"Concept {number}", zh=f"概念{number}"
            )
            writer.code(key, source, "icd10", f"A{number:05d}")
        for start in range(0, edges, BATCH):
            size = min(BATCH, edges - start)
            ends = order[numbers.choice(concepts, size=(2, size), p=shares)]
            kinds = numbers.integers(len(RELATIONS), size=size)
            for subject, object, kind in zip(*ends.tolist(), kinds.tolist(), strict=True):
                writer.edge(
                    keys[subject],
                    RELATIONS[kind],
                    keys[object],
                    source,
                    citation=("Generated", f"part {kind}", 2026),
                )
    return time.perf_counter() - began


def _admit(folder: Path, concepts: int, patients: int) -> None:
    """A store of patients with coded problems, and their graph."""
    pick = random.Random(11)
    store = RecordStore.create(folder / "hospital.sqlite", name="Generated", now="2026-01-01 00:00:00")
    with closing(store.connect()) as connection, connection:
        subjects = range(1, patients + 1)
        connection.executemany(
            "INSERT INTO patients (subject_id, gender) VALUES (?, 'f')", ((s,) for s in subjects)
        )
        connection.executemany(
            "INSERT INTO admissions (subject_id, hadm_id, admittime) VALUES (?, ?, '2025-12-01 00:00:00')",
            ((s, s) for s in subjects),
        )
        chosen = [(s, f"A{pick.randrange(concepts):05d}") for s in subjects for _ in range(PROBLEMS)]
        connection.executemany(
            "INSERT OR IGNORE INTO d_icd_diagnoses (icd_code, long_title) VALUES (?, ?)",
            ((f"icd10|{code}", f"Title {code}") for _, code in chosen),
        )
        connection.executemany(
            "INSERT INTO diagnoses_icd (subject_id, hadm_id, icd_code, charttime) "
            "VALUES (?, ?, ?, '2025-12-01 00:00:00')",
            ((s, s, f"icd10|{code}") for s, code in chosen),
        )
    with KnowledgeGraph.open(folder / "graph") as graph:
        update(store, folder / "index", graph, MentionFinder.load(NameTable(())), lambda *_: None)


def _ask(folder: Path, concepts: int, patients: int, baseline: bool) -> dict[str, float | int]:
    process = psutil.Process()
    store = RecordStore.open(folder / "hospital.sqlite")
    before, began = process.memory_info().rss, time.perf_counter()
    graph = KnowledgeGraph.open(folder / "graph")
    opened = time.perf_counter() - began
    people = PatientGraph.open(store, folder / "index")
    both = time.perf_counter() - began
    pick = random.Random(7)
    questions = [(subject, f"generated:{pick.randrange(concepts)}") for subject in range(1, patients + 1)]
    hops = [0, 0, 0, 0]

    def problems(subject: int) -> list[str]:
        return [problem.concept for problem in people.problems(subject) if problem.concept]

    def explain(subject: int, finding: str) -> None:
        found = paths(graph, problems(subject), [finding], max_hops=3, limit=5)
        hops[len(found[0]) if found else 0] += 1

    def explain_far(subject: int, finding: str) -> None:
        paths(graph, problems(subject), [finding], max_hops=3, limit=1000)

    times = _timed(explain, questions)
    exhaustive = _timed(explain_far, questions[:200])
    measured: dict[str, float | int] = {
        "file_mb": (checked(folder / "graph")[0] / DATABASE).stat().st_size / 1e6,
        "open_s": opened,
        "open_with_patients_s": both,
        "memory_growth_mb": (process.memory_info().rss - before) / 1e6,
        "explanation_p50_ms": statistics.median(times),
        "explanation_p95_ms": _p95(times),
        "explanation_max_ms": max(times),
        "up_to_1000_paths_p95_ms": _p95(exhaustive),
        "shortest_1_hop": hops[1],
        "shortest_2_hops": hops[2],
        "shortest_3_hops": hops[3],
        "unconnected": hops[0],
        "capped_hubs": graph.rows("SELECT count(*) FROM concept WHERE max(out_degree, in_degree) > ?", CAP)[
            0
        ][0],
        "largest_degree": graph.rows("SELECT max(out_degree + in_degree) FROM concept")[0][0],
    }
    return measured | (_baseline(graph, problems, questions[:20]) if baseline else {})


def _baseline(
    graph: KnowledgeGraph, problems: Callable[[int], list[str]], questions: Sequence[tuple[int, str]]
) -> dict[str, float]:
    import networkx

    before, began = psutil.Process().memory_info().rss, time.perf_counter()
    whole = networkx.MultiDiGraph()
    whole.add_edges_from(
        graph.rows(
            "SELECT s.id, o.id FROM edge JOIN concept s ON s.concept_key = subject JOIN concept o "
            "ON o.concept_key = object"
        )
    )
    undirected = whole.to_undirected(as_view=True)
    opened = time.perf_counter() - began

    def explain(subject: int, finding: str) -> None:
        for one in problems(subject):
            if one in undirected and finding in undirected:
                networkx.shortest_path(undirected, one, finding)

    times = _timed(explain, questions)
    return {
        "networkx_open_s": opened,
        "networkx_memory_growth_mb": (psutil.Process().memory_info().rss - before) / 1e6,
        "networkx_shortest_path_p95_ms": _p95(times),
    }


def _timed(explain: Callable[[int, str], None], questions: Sequence[tuple[int, str]]) -> list[float]:
    times = []
    for subject, finding in questions:
        began = time.perf_counter()
        explain(subject, finding)
        times.append(1000 * (time.perf_counter() - began))
    return times


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main()
