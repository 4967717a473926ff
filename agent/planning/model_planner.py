"""The planner that runs a local language model: it writes a plan in compact form under a grammar.

The model chooses; it cannot invent. Whose record it is comes from the session, values, times and numbers are
positions in what was linked, and every other word is one of a list. A plan that the query compiler does not
take goes back with the reason, twice at most; then the planner declines. It never falls back on the catalogue
unsaid, whose examples it is shown. What a refusal or a question back says comes from the phrase files.
"""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from agent.answer import Language, Model
from agent.models.gguf import ModelFile
from agent.models.grammar import schema_grammar
from agent.models.job import Completion, Request
from agent.models.template import render
from agent.planning import prompt
from agent.planning.askable import askable
from agent.planning.demonstrations import nearest
from agent.planning.followup import continued
from agent.planning.form import (
    ClarifyForm,
    PlanForm,
    QueryForm,
    RefuseForm,
    SearchForm,
    numbers_of,
    query_of,
    read_form,
    search_of,
    times_of,
    values_of,
)
from agent.planning.link import Linked
from agent.planning.offer import Offer
from agent.planning.phrases import phrase
from agent.planning.plan import Action, Clarify, Plan, QueryRecords, Refuse, Turn
from agent.planning.plan_schema import longest, plan_schema
from agent.planning.prompt import Message
from agent.planning.prompt_text import prompt_text
from agent.planning.subject import subject_of, which_patient
from agent.query.compile import compile
from agent.query.domains import Tables
from agent.scope import Scope
from knowledge.errors import ModelError, QueryRejected, Stopped

_SURE = 0.99
_REPAIRS = 2
_DEMONSTRATIONS = 4
_POLL_S = 0.05  # how often it is looked whether the user has stopped the question


class PlanningJob(Protocol):
    """What a model gives for a request."""

    def result(self) -> Completion:
        """Waits for the completion."""
        ...

    def cancel(self) -> None:
        """Stops it."""
        ...


class PlanningModel(Protocol):
    """What the planner needs of a model; ``agent.models.worker.LlamaWorker`` is one."""

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


class ModelPlanner:
    """Plans with a language model.

    Args:
        model: a loaded instruct model.
        tables: of the store that is asked (``RecordStore.tables``).
        demonstrations: how many examples of the catalogue the model is shown, where they fit.

    Raises:
        ModelError: the model has no chat template.
    """

    def __init__(
        self, model: PlanningModel, tables: Tables, *, demonstrations: int = _DEMONSTRATIONS
    ) -> None:
        if model.file.chat_template is None:
            raise ModelError(
                f"The model {model.file.name!r} carries no chat template, so it was not made to follow a "
                "task. Choose an instruct model with `chartroom models use FILE`."
            )
        self._model, self._template = model, model.file.chat_template
        self._tables = tables
        self._domains = askable(tables)
        self._demonstrations = demonstrations

    @property
    def identity(self) -> Model:
        """The model, as answers name it."""
        return Model(name=self._model.file.name, sha256=self._model.file.sha256)

    def plan(
        self,
        question: str,
        language: Language,
        linked: Linked,
        scope: Scope,
        history: tuple[Turn, ...] = (),
        stop: Callable[[], bool] | None = None,
    ) -> Plan:
        """The plan for a linked question; see :class:`~agent.planning.plan.Planner`.

        Raises:
            Stopped: ``stop`` said so while the model was at work.
            ModelError: the model failed, or too many questions wait for it.
        """
        subject = subject_of(linked, language, scope)
        if subject.stop is not None:
            return Plan((subject.stop,), _SURE)
        follow_up = continued(question, language, linked, subject.subject_id, history)
        if follow_up is not None:
            return follow_up
        offer = Offer.of(linked, language, subject.subject_id)
        schema = plan_schema(self._domains, prompt_text().words, offer)
        grammar, most = schema_grammar(schema), longest(schema)
        opening = self._opening(question, language, linked, offer, scope, most)
        if isinstance(opening, Plan):
            return opening
        complaints: list[Message] = []
        confidence = 0.0
        for _ in range(1 + _REPAIRS):
            messages = [*opening, *complaints]
            if self._tokens(messages) + most > self._model.context:
                break
            completion = self._write(messages, grammar, most, stop)
            confidence = _confidence(completion)
            try:
                form = read_form(completion.text)
                action = self._action(form, question, language, offer, scope, subject.subject_id)
                said = _said(form, action, linked, language, offer, scope)
                return Plan((action,), confidence, said)
            except QueryRejected as error:
                complaints += prompt.repair(completion.text, str(error))
        return Plan((Refuse("low_confidence", phrase(language, "low_confidence")),), confidence)

    def _opening(
        self, question: str, language: Language, linked: Linked, offer: Offer, scope: Scope, most: int
    ) -> list[Message] | Plan:
        """The conversation up to the plan, with the demonstrations that fit; a refusal if it is too long."""
        task, asked = prompt.system(self._domains), prompt.asked(question, offer)
        room = self._model.context - most
        examples = nearest(
            question, linked, language, self._domains, most=self._demonstrations, now=scope.now
        )
        least = self._tokens([task, asked])
        for kept in range(len(examples), 0, -1):
            turns = [message for example in reversed(examples[:kept]) for message in prompt.shown(example)]
            if least <= room and self._tokens([task, *turns, asked]) <= room:
                return [task, *turns, asked]
        if least <= room:
            return [task, asked]
        text = phrase(language, "too_long", tokens=least, room=room)
        return Plan((Refuse("low_confidence", text),), _SURE)

    def _action(
        self,
        form: PlanForm,
        question: str,
        language: Language,
        offer: Offer,
        scope: Scope,
        subject_id: int | None,
    ) -> Action:
        """What a plan asks for.

        Raises:
            QueryRejected: it cannot be done; the message is for the model.
        """
        match form:
            case QueryForm():
                query = query_of(form, offer, subject_id)
                compile(query, self._tables, scope.now)
                return QueryRecords(query)
            case SearchForm():
                return search_of(form, offer, subject_id, question)
            case ClarifyForm(about="patient"):
                return which_patient(language, scope)
            case ClarifyForm():
                values = values_of(form, offer)
                if not values or values[0].concept is not None:
                    raise QueryRejected("Only a value that is marked ambiguous can be asked about.")
                return Clarify(phrase(language, "which_value", said=values[0].said), values[0].options)
            case RefuseForm(reason=why):
                reason = "low_confidence" if why == "judgement" else why
                return Refuse(reason, phrase(language, why))

    def _write(
        self, messages: list[Message], grammar: str, most: int, stop: Callable[[], bool] | None
    ) -> Completion:
        request = Request(self._rendered(messages), max_tokens=most, grammar=grammar, logprobs=True)
        job = self._model.submit(request)
        with _cancelled_by(stop, job):
            completion = job.result()
        if completion.finish_reason == "cancelled" or (stop is not None and stop()):
            raise Stopped("The question was stopped; nothing was answered.")
        return completion

    def _tokens(self, messages: list[Message]) -> int:
        return self._model.count_tokens(self._rendered(messages))

    def _rendered(self, messages: list[Message]) -> str:
        begin, end = self._model.begin_end()
        return render(
            self._template,
            messages,
            special=self._model.special_texts(),
            bos_token=begin,
            eos_token=end,
            enable_thinking=False,
        )


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


def _confidence(completion: Completion) -> float:
    """How sure the model was of its plan: rises with the mean log-probability of its tokens; uncalibrated."""
    mean = completion.mean_logprob
    if mean is None:
        return 0.0
    fitted = prompt_text().confidence
    return 1 / (1 + math.exp(-max(-30.0, fitted.intercept + fitted.slope * mean)))


def _said(
    form: PlanForm, action: Action, linked: Linked, language: Language, offer: Offer, scope: Scope
) -> tuple[str, ...]:
    """What was taken for granted: readings of values and times, what is left out, who is meant."""
    if not isinstance(form, QueryForm | SearchForm):
        return ()
    values, times = values_of(form, offer), times_of(form, offer)
    said = [time.assumption for time in times if time.assumption]
    said += [value.assumption for value in values if value.assumption]
    said += offer.unused(linked, language, values, times, numbers_of(form, offer))
    if isinstance(form, QueryForm) and form.stay == "this":
        said.append(phrase(language, "this_stay"))
    if isinstance(action, QueryRecords) and action.query.patient is None and scope.patient is not None:
        said.append(phrase(language, "all_patients"))
    return tuple(dict.fromkeys(said))
