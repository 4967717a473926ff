"""The reliability of a run of ``chartroom batch``: scores, the curve, calibration, wrong answers by kind, latency.

The run should be one at risk 0; what it would be at other risks follows from the confidences::

    chartroom batch questions.jsonl out.jsonl --store S --now T
    python -m benchmarks.reliability out.jsonl answers.json

Of a set whose lines are marked ``"half": "tune"`` or ``"held"``, one half is scored with
``--set set.jsonl --half held``.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.measure.gold import Gold
from agent.measure.lines import judge_lines, of_half, read_ids, read_lines
from agent.measure.report import RISKS, report
from knowledge.errors import ConfigError


def main(arguments: Sequence[str] | None = None) -> int:
    """Score and print; gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="lines of answer objects with an id each")
    parser.add_argument("answers", type=Path, help="JSON object: id to rows, null where unanswerable")
    parser.add_argument("--ids", type=Path, help="score only these: a text file, one id a line")
    parser.add_argument("--set", type=Path, help="the questions, whose lines say in which half they are")
    parser.add_argument("--half", choices=("tune", "held"), help="score only this half of --set")
    parser.add_argument("--risk", type=float, action="append", help=f"default: {RISKS}; may be repeated")
    parser.add_argument("--wrong", type=Path, help="write the ids of wrong answers here, with their kind")
    parser.add_argument("--json", action="store_true", help="all figures with the whole curve, as JSON")
    given = parser.parse_args(arguments)
    if (given.half is None) != (given.set is None):
        parser.error("--set and --half go together")
    try:
        ids = None if given.ids is None else read_ids(given.ids)
        if given.half is not None:
            half = dict.fromkeys(of_half(read_lines(given.set), given.half))
            ids = list(half) if ids is None else [key for key in ids if key in half]
        judged = judge_lines(read_lines(given.out), Gold.read(given.answers), ids)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    figures = report(judged, given.risk or RISKS)
    if given.wrong is not None:
        wrong = [f"{one.id}\t{one.fault}\t{one.confidence:.4f}\n" for one in judged if one.fault]
        given.wrong.write_text("".join(wrong), encoding="utf-8")
    print(json.dumps(figures.as_dict(), indent=2) if given.json else figures.as_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
