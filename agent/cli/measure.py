"""``chartroom measure``: how good the active planner is on questions whose answers are known."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import psutil
import typer
from rich.progress import track

from agent.cli.questions import Asked, answer_line, read_questions
from agent.cli.stores import store_or_demo
from agent.cli.terminal import JsonOption, NowOption, StoreOption, err, out, print_json
from agent.measure.gold import Gold, Judged
from agent.measure.lines import read_ids
from agent.measure.report import RISKS, report
from agent.planning.model_confidence import curve_of, fitted, keep_curve
from knowledge.errors import ConfigError

if TYPE_CHECKING:
    from agent.agent import ClinicalAgent

_MB = 1_000_000
_SAMPLED_S = 0.2  # how often the memory in use is looked at


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("measure")(measure_command)


def measure_command(
    questions: Annotated[
        Path, typer.Argument(metavar="QUESTIONS.jsonl", help='Lines of {"id", "question", "patient"?, …}.')
    ],
    answers: Annotated[
        Path, typer.Option("--answers", help="JSON object: id to rows; null where it cannot be answered.")
    ],
    store: StoreOption = None,
    now: NowOption = None,
    risk: Annotated[
        list[float] | None,
        typer.Option(
            "--risk", min=0.0, help="Cost of a wrong answer to score at; may be repeated (0, 5, 10)."
        ),
    ] = None,
    ids: Annotated[Path | None, typer.Option("--ids", help="Ask only these: one id a line.")] = None,
    half: Annotated[
        str | None, typer.Option("--half", help='Ask only lines marked with this "half" (tune, held).')
    ] = None,
    kept: Annotated[
        Path | None, typer.Option("--out", help="Also write the answer objects, as batch does.")
    ] = None,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate", help="Fit the confidence of the model in use to this run; keeps the fit."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the active planner: reliability, coverage against error rate, calibration, latency, memory.

    Every question is asked once, at risk 0; what the planner would withhold at a higher risk follows from its
    confidence. The bundled planner, a GGUF and a server are measured alike: make one active, run this again.
    """
    from agent.agent import ClinicalAgent  # only here: LangGraph takes a second to import

    asked, gold = _chosen(read_questions(questions), ids, half), Gold.read(answers)
    for one in asked:
        gold.judge(str(one.id), None)  # a missing gold answer is found before the hours are spent
    if kept is not None and kept.exists():
        raise ConfigError(f"{kept} exists; choose another output, or delete it.")
    with _peak_memory() as memory, ClinicalAgent.open(store_or_demo(store), now=now) as agent:
        model = agent.rooms.model
        if calibrate and agent.rooms.writer is None:
            raise ConfigError(
                "The planner in use is calibrated already; --calibrate is for a model of your own."
            )
        judged = _ask(agent, asked, gold, kept)
    planner = model.name if model is not None else "catalogue"
    if calibrate and model is not None:
        curve = fitted(judged, curve_of(model))
        keep_curve(model, curve)
        err().print(f"Calibrated: {curve.obtained}. Measure again on other questions.", markup=False)
    figures = report(judged, risk or RISKS)
    before, peak = memory
    if as_json:
        print_json({"planner": planner, **figures.as_dict(), "memory_mb": {"before": before, "peak": peak}})
        return
    out().print(f"planner {planner}", markup=False)
    out().print(figures.as_text(), markup=False, soft_wrap=True)
    out().print(f"memory: {before} MB before opening, {peak} MB at most", markup=False)


def _ask(agent: "ClinicalAgent", asked: list[Asked], gold: Gold, kept: Path | None) -> list[Judged]:
    judged: list[Judged] = []
    for one in track(asked, description="questions", console=err()):
        line, _ = answer_line(agent, one, risk=0.0)
        judged.append(gold.judge(str(one.id), line))
        if kept is not None:
            with kept.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(line, ensure_ascii=False) + "\n")
    return judged


def _chosen(asked: list[Asked], ids: Path | None, half: str | None) -> list[Asked]:
    if ids is not None:
        wanted = set(read_ids(ids))
        asked = [one for one in asked if str(one.id) in wanted]
    if half is not None:
        asked = [one for one in asked if one.half == half]
    if not asked:
        raise ConfigError("No question is left to ask; check the file, --ids and --half.")
    return asked


@contextmanager
def _peak_memory() -> Iterator[list[int]]:
    """Megabytes of this process before, and the most while the body ran; the list is filled at the end."""
    process, done = psutil.Process(), threading.Event()
    figures: list[int] = []
    before = peak = process.memory_info().rss

    def watch() -> None:
        nonlocal peak
        while not done.wait(_SAMPLED_S):
            peak = max(peak, process.memory_info().rss)

    watcher = threading.Thread(target=watch, name="memory", daemon=True)
    watcher.start()
    try:
        yield figures
    finally:
        done.set()
        watcher.join()
        figures += [before // _MB, max(peak, process.memory_info().rss) // _MB]
