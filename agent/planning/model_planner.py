"""The planner that prompts a language model: it writes a plan in compact form under a grammar.

The model chooses; it cannot invent. Whose record it is comes from the session, values, times and numbers are
positions in what was linked, and every other word is one of a list. A plan that does not compile, that the guard
refuses or that takes too long goes back with the reason, twice at most; then the planner declines. It never falls
back on the catalogue unsaid, whose examples it is shown. What a refusal or a question back says comes from the phrase
files.
"""

from collections.abc import Callable

from agent.answer import Language
from agent.planning import prompt
from agent.planning.askable import askable
from agent.planning.demonstrations import Demonstration, nearest
from agent.planning.followup import continued
from agent.planning.form import (
    ClarifyForm,
    PlanForm,
    QueryForm,
    RefuseForm,
    SearchForm,
    numbers_of,
    read_form,
    times_of,
    values_of,
)
from agent.planning.form_query import query_of, search_of
from agent.planning.link import Linked
from agent.planning.mask import mask_question
from agent.planning.model_confidence import confidence, curve_of
from agent.planning.offer import Offer
from agent.planning.own_examples import OwnExamples
from agent.planning.phrases import phrase
from agent.planning.plan import Action, Clarify, Plan, QueryRecords, Refuse, Turn
from agent.planning.plan_schema import plan_schema
from agent.planning.prompt import Message
from agent.planning.prompt_text import prompt_text
from agent.planning.schema_parts import longest
from agent.planning.subject import subject_of, which_patient
from agent.planning.trial import attempt
from agent.planning.writer import PlanWriter
from agent.scope import Scope
from knowledge.errors import QueryRejected
from knowledge.store import RecordStore

_SURE = 0.99
_REPAIRS = 2
_DEMONSTRATIONS = 4


class ModelPlanner:
    """Plans with a language model.

    Args:
        model: what writes the plans.
        store: that is asked.
        own: the hospital's own examples, shown where they are more like the question than the catalogue's.
        demonstrations: how many examples the model is shown, where they fit.
    """

    def __init__(
        self,
        model: PlanWriter,
        store: RecordStore,
        own: OwnExamples | None = None,
        *,
        demonstrations: int = _DEMONSTRATIONS,
    ) -> None:
        self._model, self._store, self._own = model, store, own or OwnExamples(())
        self._domains = askable(store.tables)
        self._curve = curve_of(model.identity)
        self._demonstrations = demonstrations

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
        most = longest(schema)
        opening = self._opening(question, language, linked, offer, scope, most)
        if isinstance(opening, Plan):
            return opening
        complaints: list[Message] = []
        sure = 0.0
        for _ in range(1 + _REPAIRS):
            messages = [*opening, *complaints]
            if self._model.tokens(messages) + most > self._model.context:
                break
            completion = self._model.write(messages, schema, most, stop)
            sure = confidence(self._curve, completion.mean_logprob)
            try:
                form = read_form(completion.text)
                action = self._action(form, question, language, offer, scope, subject.subject_id)
                said = _said(form, action, linked, language, offer, scope)
                return Plan((action,), sure, said)
            except QueryRejected as error:
                complaints += prompt.repair(completion.text, str(error))
        return Plan((Refuse("low_confidence", phrase(language, "low_confidence")),), sure)

    def _opening(
        self, question: str, language: Language, linked: Linked, offer: Offer, scope: Scope, most: int
    ) -> list[Message] | Plan:
        """The conversation up to the plan, with the demonstrations that fit; a refusal if it is too long."""
        task, asked = prompt.system(self._domains), prompt.asked(question, offer)
        room = self._model.context - most
        examples = self._examples(question, language, linked, scope)
        least = self._model.tokens([task, asked])
        for kept in range(len(examples), 0, -1):
            turns = [message for example in reversed(examples[:kept]) for message in prompt.shown(example)]
            if least <= room and self._model.tokens([task, *turns, asked]) <= room:
                return [task, *turns, asked]
        if least <= room:
            return [task, asked]
        text = phrase(language, "too_long", tokens=least, room=room)
        return Plan((Refuse("low_confidence", text),), _SURE)

    def _examples(
        self, question: str, language: Language, linked: Linked, scope: Scope
    ) -> list[Demonstration]:
        """The examples that are most like the question, the most like first."""
        most = self._demonstrations
        found = nearest(question, linked, language, self._domains, most=most, now=scope.now)
        if most and len(self._own):
            masked = mask_question(question, linked, language)[0].text
            own = self._own.nearest(masked, language, most)
            found += [(score, example) for score, example in own if example.fits(self._domains)]
            found.sort(key=lambda pair: -pair[0])
        return [example for _, example in found[:most]]

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
                attempt(query, self._store, scope)
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
