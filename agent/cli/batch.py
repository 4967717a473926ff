"""``chartroom batch``: many questions from a JSONL file, resumable."""

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.progress import track

from agent.answer import Answer
from agent.cli.stores import store_or_demo
from agent.cli.terminal import NowOption, RiskOption, StoreOption, err
from knowledge.errors import ConfigError, QuestionError

if TYPE_CHECKING:
    from agent.agent import ClinicalAgent


class _Question(BaseModel):
    """One line of the input: ``history`` holds the questions asked before, oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | int
    question: str
    patient: int | None = None
    history: tuple[str, ...] = Field(default=())


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

    asked = _read(questions)
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
            try:
                line = _answer(agent, one, risk)
            except QuestionError as error:
                refusal = Answer(
                    question=one.question,
                    language="en",
                    status="refused",
                    reason="out_of_scope",
                    text=str(error),
                )
                line = {"id": one.id, **refusal.model_dump(mode="json")}
                failed += 1
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            lines.flush()
    if failed:
        err().print(f"{failed} questions could not be taken; see their lines in {answers}.", markup=False)
        raise typer.Exit(1)


def _answer(agent: "ClinicalAgent", one: _Question, risk: float) -> dict[str, object]:
    conversation = f"batch-{one.id}" if one.history else None
    try:
        for earlier in one.history:
            with suppress(QuestionError):  # what could not be taken then adds nothing now
                agent.ask(earlier, patient=one.patient, conversation=conversation, risk=risk)
        answer = agent.ask(one.question, patient=one.patient, conversation=conversation, risk=risk)
    finally:
        if conversation is not None:
            agent.forget(conversation)
    return {"id": one.id, **answer.model_dump(mode="json")}


def _read(path: Path) -> list[_Question]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. It must be JSONL in UTF-8.") from error
    found: dict[str | int, _Question] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            one = _Question.model_validate_json(line)
        except ValidationError as error:
            raise ConfigError(
                f'{path}, line {number}: expected {{"id", "question", "patient"?, "history"?}}.'
            ) from error
        if one.id in found:
            raise ConfigError(f"{path}, line {number}: the id {one.id!r} occurs twice; ids must differ.")
        found[one.id] = one
    return list(found.values())


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
