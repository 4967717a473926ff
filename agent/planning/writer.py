"""What writes plans for the planner: a model in this process, or one on a server (``agent.models.server``)."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from agent.answer import Model
from agent.models.gguf import ModelFile
from agent.models.grammar import schema_grammar
from agent.models.job import Completion, Request
from agent.models.store import active_server, load_active
from agent.models.template import render
from knowledge.errors import ModelError, Stopped

_POLL_S = 0.05  # how often it is looked whether the user has stopped the question
Messages = Sequence[Mapping[str, str]]


class PlanWriter(Protocol):
    """A model that answers a conversation with JSON of a schema.

    Attributes:
        identity: the model, as answers name it.
        context: tokens for conversation and answer together.
    """

    identity: Model
    context: int

    def tokens(self, messages: Messages) -> int:
        """How many tokens of context a conversation takes, at most."""
        ...

    def write(
        self,
        messages: Messages,
        schema: Mapping[str, Any],
        most: int,
        stop: Callable[[], bool] | None = None,
    ) -> Completion:
        """The answer, of at most so many tokens.

        Raises:
            Stopped: ``stop`` said so while the model was at work.
            ModelError: the model failed, or has no room for the question now.
        """
        ...

    def close(self) -> None:
        """Release it."""
        ...


class PlanningJob(Protocol):
    """What a local model gives for a request."""

    def result(self) -> Completion:
        """Waits for the completion."""
        ...

    def cancel(self) -> None:
        """Stops it."""
        ...


class PlanningModel(Protocol):
    """What is needed of a model in this process; ``agent.models.worker.LlamaWorker`` is one."""

    file: ModelFile
    context: int

    def submit(self, request: Request) -> PlanningJob:
        """Queue a request."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens of context a text takes."""
        ...

    def special_texts(self) -> tuple[str, ...]:
        """Names of the model's control tokens."""
        ...

    def begin_end(self) -> tuple[str, str]:
        """Names of the begin and end tokens."""
        ...

    def close(self) -> None:
        """Release it."""
        ...


class LocalWriter:
    """A model in this process: its own chat template, and a grammar that its answer cannot leave.

    Args:
        model: a loaded instruct model.

    Raises:
        ModelError: the model has no chat template.
    """

    def __init__(self, model: PlanningModel) -> None:
        if model.file.chat_template is None:
            raise ModelError(
                f"The model {model.file.name!r} carries no chat template, so it was not made to follow a "
                "task. Choose an instruct model with `chartroom models use FILE`."
            )
        self._model, self._template = model, model.file.chat_template
        self.identity = Model(name=model.file.name, sha256=model.file.sha256)
        self.context = model.context

    def tokens(self, messages: Messages) -> int:
        """How many tokens of context a conversation takes."""
        return self._model.count_tokens(self._rendered(messages))

    def write(
        self,
        messages: Messages,
        schema: Mapping[str, Any],
        most: int,
        stop: Callable[[], bool] | None = None,
    ) -> Completion:
        """What the model answers; see :class:`PlanWriter`."""
        grammar = schema_grammar(dict(schema))
        job = self._model.submit(
            Request(self._rendered(messages), max_tokens=most, grammar=grammar, logprobs=True)
        )
        with _cancelled_by(stop, job):
            completion = job.result()
        if completion.finish_reason == "cancelled" or (stop is not None and stop()):
            raise Stopped("The question was stopped; nothing was answered.")
        return completion

    def close(self) -> None:
        """Release the model."""
        self._model.close()

    def _rendered(self, messages: Messages) -> str:
        begin, end = self._model.begin_end()
        return render(
            self._template,
            [dict(message) for message in messages],
            special=self._model.special_texts(),
            bos_token=begin,
            eos_token=end,
            enable_thinking=False,
        )


def active_writer() -> PlanWriter | None:
    """The model that the hospital chose, ready to write; ``None`` where it chose none.

    Raises:
        ModelError: its file is missing, damaged, altered or cannot be loaded.
        ConfigError: its server is not on a private network, and no public one was allowed.
    """
    server = active_server()
    if server is not None:
        from agent.models.server import ServerModel  # only here: the library takes a second to import

        return ServerModel(server)
    worker = load_active()
    return None if worker is None else LocalWriter(worker)


@contextmanager
def _cancelled_by(stop: Callable[[], bool] | None, job: PlanningJob) -> Iterator[None]:
    """Cancels the job as soon as ``stop`` says so; asks in a thread: the caller waits for the job."""
    if stop is None:
        yield
        return
    done = threading.Event()

    def watch() -> None:
        while not stop():
            if done.wait(_POLL_S):
                return
        job.cancel()

    watcher = threading.Thread(target=watch, name="plan-stop", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
