"""What importing the public releases does: time, size, what was merged, added and left, and how good the merging is.

Imports them one after the other into a graph of its own. Merging goes by names first; whether a term was joined to
the right concept is judged by something that the names do not tell: the ICD codes that the release and the core pack
give independently (a release's code must equal one of the core pack's, or lie above or below it)::

    python -m benchmarks.graph_imports [--data ../shared/data]
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from knowledge.graph import KnowledgeGraph
from knowledge.ontologies import ImportReport, import_package, import_source

RELEASES = (
    "disease-ontology/doid-2016-09-01.obo",
    "disease-ontology/HumanDO.tsv",
    "disease-ontology/allXREFinDO.tsv",
    "disease-ontology/disease-symptom.tsv",
    "pharmacotherapydb/indications.tsv",
    "hpo",
    "hpo/hp-zh.babelon.tsv",
    "hpo/layperson-synonyms.tsv",
    "icd10cm",
    "icd10cm/icd_cm_9_to_10_mapping.csv.gz",
)
"""In this order; a name without a file is a package."""
JUDGED = (("doid", ("icd10", "icd9")), ("icd10cm", ("icd10",)))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the public data sets")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="graph-imports-") as place:
        folder = Path(place)
        print("| source | entries | merged | added | left | apart | names | codes | relations | s |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for name in RELEASES:
            file = arguments.data / name
            _row(import_source(folder, file) if file.is_file() else import_package(folder, name))
        with KnowledgeGraph.open(folder) as graph:
            _totals(graph, sum(file.stat().st_size for file in folder.glob("gen-*/*")))
            print("\n| merged with the core pack | codes to compare | agree |\n|---|---|---|")
            for source, systems in JUDGED:
                compared, agreeing = judge(graph, source, systems)
                print(f"| {source} | {compared} | {agreeing} ({agreeing / compared:.1%}) |")


def judge(graph: KnowledgeGraph, source: str, systems: Sequence[str]) -> tuple[int, int]:
    """Of the concepts that a source and the core pack share: with codes from both, and with codes that agree."""
    marks = ", ".join("?" * len(systems))
    rows = graph.rows(
        "SELECT concept_key, source.id, system, plain FROM code JOIN source USING (source_key) "
        f"WHERE source.id IN ('core', ?) AND system IN ({marks}) AND concept_key IN (SELECT concept_key FROM claim "
        "JOIN source USING (source_key) WHERE source.id = ?)",
        source,
        *systems,
        source,
    )
    codes: dict[int, dict[str, set[tuple[str, str]]]] = defaultdict(lambda: defaultdict(set))
    for concept, by, system, plain in rows:
        codes[concept][by].add((system, plain))
    compared = agreeing = 0
    for by_source in codes.values():
        mine, core = by_source[source], by_source["core"]
        common = {system for system, _ in mine} & {system for system, _ in core}
        if common:
            compared += 1
            agreeing += any(
                a == b and (code.startswith(other) or other.startswith(code))
                for a, code in mine
                for b, other in core
            )
    return compared, agreeing


def _row(report: ImportReport) -> None:
    left = sum(reason.entries for reason in report.left.values())
    apart = sum(reason.entries for reason in report.apart.values())
    numbers = (
        report.entries,
        report.merged,
        report.added,
        left,
        apart,
        report.names,
        report.codes,
        report.edges,
    )
    print(
        f"| {report.source_id} | {' | '.join(f'{one:,}' for one in numbers)} | {report.seconds:.1f} |",
        flush=True,
    )


def _totals(graph: KnowledgeGraph, size: int) -> None:
    counts = graph.counts()
    totals = ", ".join(f"{sum(by_kind.values()):,} {what}" for what, by_kind in counts.items())
    print(f"\n{totals}; {size / 1e6:.0f} MB")
    for what in ("names", "edges"):
        print(f"{what}: {', '.join(f'{kind} {number:,}' for kind, number in counts[what].items())}")


if __name__ == "__main__":
    main()
