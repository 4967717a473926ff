"""``chartroom batch``: many questions from a JSONL file, resumable."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track

from agent.cli.questions import answer_line, read_questions
from agent.cli.stores import store_or_demo
from agent.cli.terminal import NowOption, RiskOption, StoreOption, err
from knowledge.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("batch")(batch_command)


def batch_command(
    questions: Annotated[
        Path, typer.Argument(metavar="IN.jsonl", help='Lines of {"id", "question", "patient"?, "history"?}.')
    ],
    answers: Annotated[
        Path, typer.Argument(metavar="OUT.jsonl", help="Lines of the answer object plus id; appended to.")
    ],
    store: StoreOption = None,
    now: NowOption = None,
    risk: RiskOption = 0.0,
) -> None:
    """Answer many questions. Run again after a stop, it goes on where it was.

    A question that cannot be taken (empty, too long, in no known language) is a refusal whose text says
    why and, at the end, exit code 1.
    """
    from agent.agent import ClinicalAgent  # only here: LangGraph takes a second to import

    asked = read_questions(questions)
    done = _done(answers)
    waiting = [one for one in asked if one.id not in done]
    if len(waiting) < len(asked):
        err().print(f"{len(asked) - len(waiting)} of {len(asked)} are answered already.", style="dim")
    failed = 0
    with (
        ClinicalAgent.open(store_or_demo(store), now=now) as agent,
        answers.open("a", encoding="utf-8") as lines,
    ):
        for one in track(waiting, description="questions", console=err()):
            line, taken = answer_line(agent, one, risk)
            failed += not taken
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            lines.flush()
    if failed:
        err().print(f"{failed} questions could not be taken; see their lines in {answers}.", markup=False)
        raise typer.Exit(1)


def _done(path: Path) -> set[str | int]:
    """Ids that are answered; a last line that a kill cut short is removed, so that it is answered again."""
    if not path.exists():
        if not path.parent.is_dir():
            raise ConfigError(f"There is no folder {path.parent}; make it, or choose another output.")
        return set()
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    try:
        ids = {json.loads(line)["id"] for line in whole.splitlines()}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} exists and holds something else; choose another output.") from error
    if len(whole) < len(content):
        path.write_bytes(whole)
    return ids
