"""The one stream that a question gives off; the CLI, UI, API and logs only render it."""

from dataclasses import dataclass

from agent.answer import Answer, Evidence, Step


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A tool or stage begins."""

    tool: str
    summary: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A tool or stage is done."""

    step: Step


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """A piece of evidence got its number."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the answer's text, in order."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerReady:
    """The last event: the whole verified answer."""

    answer: Answer


Event = StepStarted | StepFinished | EvidenceFound | Token | AnswerReady
