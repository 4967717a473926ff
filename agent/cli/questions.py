"""Files of questions, and asking them one by one: what ``chartroom batch`` and ``chartroom measure`` share."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.answer import Answer
from knowledge.errors import ConfigError, QuestionError

if TYPE_CHECKING:
    from agent.agent import ClinicalAgent


class Asked(BaseModel):
    """One line of a file of questions.

    Attributes:
        id: unlike all others of the file.
        question: its words.
        patient: whose record is open.
        history: the questions asked before, oldest first.
        half: to which half of a set it belongs; used when a set is scored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | int
    question: str
    patient: int | None = None
    history: tuple[str, ...] = Field(default=())
    half: str | None = None


def read_questions(path: Path) -> list[Asked]:
    """The questions of a JSONL file.

    Raises:
        ConfigError: it cannot be read, a line is none, or an id occurs twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. It must be JSONL in UTF-8.") from error
    found: dict[str | int, Asked] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            one = Asked.model_validate_json(line)
        except ValidationError as error:
            raise ConfigError(
                f'{path}, line {number}: expected {{"id", "question", "patient"?, "history"?}}.'
            ) from error
        if one.id in found:
            raise ConfigError(f"{path}, line {number}: the id {one.id!r} occurs twice; ids must differ.")
        found[one.id] = one
    return list(found.values())


def answer_line(agent: "ClinicalAgent", one: Asked, risk: float) -> tuple[dict[str, object], bool]:
    """The answer object plus id, and whether the question could be taken; else it is a refusal that says why."""
    try:
        answer = _answer(agent, one, risk)
    except QuestionError as error:
        refusal = Answer(
            question=one.question, language="en", status="refused", reason="out_of_scope", text=str(error)
        )
        return {"id": one.id, **refusal.model_dump(mode="json")}, False
    return {"id": one.id, **answer.model_dump(mode="json")}, True


def _answer(agent: "ClinicalAgent", one: Asked, risk: float) -> Answer:
    conversation = f"batch-{one.id}" if one.history else None
    try:
        for earlier in one.history:
            with suppress(QuestionError):  # what could not be taken then adds nothing now
                agent.ask(earlier, patient=one.patient, conversation=conversation, risk=risk)
        return agent.ask(one.question, patient=one.patient, conversation=conversation, risk=risk)
    finally:
        if conversation is not None:
            agent.forget(conversation)
