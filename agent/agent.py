"""``ClinicalAgent``: the one object that a program, the CLI and the UI talk to."""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.answer import Answer, Step
from agent.audit import Audit
from agent.events import AnswerReady, Event
from agent.graph import build_graph
from agent.language import clean
from agent.now import resolve_now
from agent.paths import home
from agent.prepare import Report
from agent.rooms import Rooms, Run
from agent.scope import Scope
from agent.state import CHECKPOINTED, State
from knowledge.errors import ConfigError, QuestionError
from knowledge.store import RecordStore


class ClinicalAgent:
    """Answers questions over one record store.

    Use ``ClinicalAgent.open`` and close it, or use it as a context manager. It may be called from several
    threads; a conversation takes one question at a time.
    """

    def __init__(self, rooms: Rooms, *, user: str, permitted: frozenset[int] | None, now: str | None) -> None:
        self.rooms = rooms
        self.user = user
        self.permitted = permitted
        self._now = now
        folder = home()
        self.folder = folder
        self.audit = Audit(folder)
        self._checkpoints = sqlite3.connect(folder / "conversations.sqlite", check_same_thread=False)
        (folder / "conversations.sqlite").chmod(0o600)
        saver = SqliteSaver(self._checkpoints, serde=JsonPlusSerializer(allowed_msgpack_modules=CHECKPOINTED))
        self._graph = build_graph().compile(checkpointer=saver)
        self._single = build_graph().compile()
        self._running: dict[str, Run] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        store: Path | str | RecordStore,
        *,
        now: str | None = None,
        user: str = "local",
        permitted: frozenset[int] | None = None,
        report: Report | None = None,
    ) -> Self:
        """Open a store with its indexes and the planner.

        Args:
            store: a record store or its path.
            now: ``YYYY-MM-DD HH:MM:SS``; default: the store's own "now", else the clock (see ``agent.now``).
            user: who asks, for the audit.
            permitted: the ``subject_id``s that the user may see; ``None`` for all.
            report: told about the building of indexes where they are missing or older than the records.

        Raises:
            StoreError, IndexFault, ModelError, ConfigError: with what to do.
        """
        opened = store if isinstance(store, RecordStore) else RecordStore.open(Path(store))
        return cls(Rooms.open(opened, report), user=user, permitted=permitted, now=now)

    def scope(self, patient: int | None = None) -> Scope:
        """The frame of a question about ``patient`` (or about many)."""
        return Scope(
            now=self._now or resolve_now(self.rooms.store, patient),
            user=self.user,
            patient=patient,
            permitted=self.permitted,
        )

    def ask(
        self,
        question: str,
        *,
        patient: int | None = None,
        conversation: str | None = None,
        risk: float = 0.0,
    ) -> Answer:
        """Answer one question.

        Args:
            question: in English or Chinese.
            patient: ``subject_id`` of the patient whose record is open.
            conversation: a name; questions under the same name can refer to those before them.
            risk: cost of a wrong answer relative to the gain of a right one; the higher, the sooner it abstains.

        Raises:
            QuestionError: the question is empty, too long, or in neither language.
        """
        for event in self.stream(question, patient=patient, conversation=conversation, risk=risk):
            if isinstance(event, AnswerReady):
                return event.answer
        raise AssertionError("the graph always ends with an answer")

    def stream(
        self,
        question: str,
        *,
        patient: int | None = None,
        conversation: str | None = None,
        risk: float = 0.0,
    ) -> Iterator[Event]:
        """Like ``ask``, but gives each event as it happens; the last one carries the answer.

        Closing the iterator stops the work: the model stops within two tokens, no further step begins.
        """
        if risk < 0:
            raise ConfigError(f"risk must be 0 or more, not {risk!r}.")
        question = clean(question)
        scope = self.scope(patient)
        given = {"question": question, "scope": scope, "risk": risk, "findings": None, "steps": None}
        yield from self._run(cast(State, given), conversation, scope)

    def resume(self, conversation: str) -> Iterator[Event]:
        """Go on with a question that was interrupted (by a kill, say), from its last finished step.

        Raises:
            QuestionError: nothing of that conversation is waiting.
        """
        state = self._graph.get_state(self._config(conversation))
        if not state.next:
            raise QuestionError(f"The conversation {conversation!r} has no interrupted question.")
        scope: Scope = state.values["scope"]
        if scope.permitted != self.permitted:
            self.forget(conversation)
            raise QuestionError(
                "What you may see has changed since the question was interrupted; ask it again."
            )
        yield from self._run(None, conversation, scope)

    def stop(self, conversation: str) -> None:
        """Stop the question that a conversation is answering; its stream ends with ``Stopped``."""
        with self._lock:
            run = self._running.get(conversation)
        if run is not None:
            run.stopped.set()

    def _run(self, given: State | None, conversation: str | None, scope: Scope) -> Iterator[Event]:
        graph = self._single if conversation is None else self._graph
        config = self._config(conversation) if conversation is not None else None
        run = Run(self.rooms)
        with self._occupied(conversation, run):
            began = time.perf_counter()
            answer: Answer | None = None
            try:
                chunks: Iterator[Any] = graph.stream(
                    given, config, context=run, stream_mode=["custom", "updates"]
                )
                for mode, chunk in chunks:
                    if mode == "custom":
                        yield chunk
                    elif "verify" in chunk:
                        answer = chunk["verify"]["answer"]
            finally:
                run.stopped.set()  # a stream that is closed early stops its work
            assert answer is not None, "the graph ends with verify"
            total = round((time.perf_counter() - began) * 1000)
            answer = answer.model_copy(update={"ms": {**_by_tool(answer.steps), "total": total}})
            self.audit.record(answer, scope, self.rooms.store.identity())
            yield AnswerReady(answer)

    @contextmanager
    def _occupied(self, conversation: str | None, run: Run) -> Iterator[None]:
        """A conversation answers one question at a time."""
        if conversation is None:
            yield
            return
        with self._lock:
            if conversation in self._running:
                raise QuestionError("This conversation is still answering; wait for it or stop it first.")
            self._running[conversation] = run
        try:
            yield
        finally:
            with self._lock:
                del self._running[conversation]

    def forget(self, conversation: str) -> None:
        """Delete a conversation with all its checkpoints."""
        saver = self._graph.checkpointer
        assert isinstance(saver, SqliteSaver)
        saver.delete_thread(self._thread(conversation))

    def _thread(self, conversation: str) -> str:
        """A conversation belongs to one user and one store; the same name of another user is another one."""
        owner = f"{self.rooms.store.identity()}\n{self.user}\n{conversation}"
        return hashlib.sha256(owner.encode()).hexdigest()

    def _config(self, conversation: str) -> RunnableConfig:
        return {"configurable": {"thread_id": self._thread(conversation)}}

    def close(self) -> None:
        """Release the model, the indexes and the files."""
        self._checkpoints.close()
        self.rooms.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _by_tool(steps: tuple[Step, ...]) -> dict[str, int]:
    spent: dict[str, int] = {}
    for step in steps:
        spent[step.tool] = spent.get(step.tool, 0) + step.ms
    return spent
