"""One text to generate: what is asked, how it comes back piece by piece, what came of it.

How jobs are run is for ``agent.models.worker``.
"""

import codecs
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from agent.models.sampling import Sampling
from knowledge.errors import ModelError

FinishReason = Literal["stop", "length", "cancelled", "deadline"]


@dataclass(frozen=True, slots=True)
class Request:
    """One text to generate.

    Attributes:
        prompt: a rendered chat template, control tokens and all.
        max_tokens: the most tokens to generate.
        sampling: how tokens are chosen.
        stop: strings at which the text ends; they are not part of it.
        grammar: GBNF that the text must follow (``agent.models.grammar.schema_grammar`` for a JSON Schema).
        logprobs: whether the completion carries each token's log-probability.
        deadline_s: seconds from submission, waiting included, after which the job is stopped.
    """

    prompt: str
    max_tokens: int = 512
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    grammar: str | None = None
    logprobs: bool = False
    deadline_s: float | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """A generated text.

    Attributes:
        text: what was generated, without the end token and without the stop string.
        tokens: the generated tokens; those of a stop string are among them.
        logprobs: natural-log probability of each token under the model alone; ``None`` if not asked for.
        finish_reason: ``stop`` (the model or a stop string ended it), ``length`` (cut at ``max_tokens`` or
            at the end of the context), ``cancelled`` or ``deadline`` (cut by the caller or by time).
        prompt_tokens: length of the prompt; 0 if it was never read.
        ms: milliseconds of computing, without waiting.
    """

    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...] | None
    finish_reason: FinishReason
    prompt_tokens: int
    ms: int

    @property
    def mean_logprob(self) -> float | None:
        """Mean log-probability per token, a measure of confidence; ``None`` without log-probabilities."""
        return sum(self.logprobs) / len(self.logprobs) if self.logprobs else None


class Job:
    """A request under way. Iterate for the text in pieces; ``result`` waits for the whole."""

    def __init__(
        self, request: Request, withdraw: Callable[["Job"], bool], interrupt: Callable[["Job"], None]
    ) -> None:
        self.request = request
        self._withdraw, self._interrupt = withdraw, interrupt
        self._deadline = None if request.deadline_s is None else time.monotonic() + request.deadline_s
        self._cancelled = threading.Event()
        self._pieces: queue.SimpleQueue[str | Completion | ModelError] = queue.SimpleQueue()
        self._outcome: Completion | ModelError | None = None

    def cancel(self) -> None:
        """Stop as soon as possible. A job that has ended stays as it is."""
        self._cancelled.set()
        if self._withdraw(self):
            self.end(empty("cancelled"))
        else:
            self._interrupt(self)

    def __iter__(self) -> Iterator[str]:
        """The pieces of text in order, each once.

        Raises:
            ModelError: the job failed.
        """
        while self._outcome is None:
            item = self._next()
            if isinstance(item, str):
                yield item
            else:
                self._outcome = item
        if isinstance(self._outcome, ModelError):
            raise self._outcome

    def result(self) -> Completion:
        """The whole completion; waits for it.

        Raises:
            ModelError: the job failed.
        """
        for _ in self:
            pass
        assert isinstance(self._outcome, Completion)
        return self._outcome

    def _next(self) -> str | Completion | ModelError:
        """The next item; a job that still waits at its deadline leaves the queue."""
        if self._deadline is not None:
            try:
                return self._pieces.get(timeout=max(0.0, self._deadline - time.monotonic()))
            except queue.Empty:
                if self._withdraw(self):
                    return empty("deadline")
        return self._pieces.get()

    # For the worker

    def why_stop(self) -> FinishReason | None:
        """``cancelled`` or ``deadline`` where the job shall not go on."""
        if self._cancelled.is_set():
            return "cancelled"
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return "deadline"
        return None

    def put(self, piece: str) -> None:
        """Hand a piece of text to whoever iterates."""
        self._pieces.put(piece)

    def end(self, outcome: Completion | ModelError) -> None:
        """The last thing a job gets."""
        self._pieces.put(outcome)


class TextBuilder:
    """Bytes in, text out: whole characters only, nothing that may become a stop string."""

    def __init__(self, stop: tuple[str, ...]) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._stop = tuple(one for one in stop if one)
        self._held = ""  # decoded, not yet given out
        self.whole = ""
        self.stopped = False

    def add(self, data: bytes) -> str:
        """What may be given out after these bytes."""
        self._held += self._decoder.decode(data)
        found = [at for at in (self._held.find(one) for one in self._stop) if at >= 0]
        if found:
            self.stopped = True
            self._held = self._held[: min(found)]
            return self._give(len(self._held))
        return self._give(len(self._held) - self._maybe_stop())

    def end(self) -> str:
        """What was held back in vain. A character that was cut in half is dropped."""
        return self._give(len(self._held))

    def _maybe_stop(self) -> int:
        """Length of the longest tail that a stop string begins with."""
        longest = max((len(one) for one in self._stop), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            if any(one.startswith(self._held[-length:]) for one in self._stop):
                return length
        return 0

    def _give(self, count: int) -> str:
        piece, self._held = self._held[:count], self._held[count:]
        self.whole += piece
        return piece


def empty(reason: FinishReason) -> Completion:
    """The completion of a job that never ran."""
    return Completion("", (), None, reason, 0, 0)
