"""The default planner: the bundled network reads the delexicalised question and writes a plan script.

It chooses; it cannot invent. Whose record it is comes from the session, values, times and numbers are pointers
into what was linked, and the script grammar lets nothing else be written. A script that cannot be compiled for
the store gives way to the next likeliest.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agent.answer import Language, Model, Reason
from agent.bundled import script
from agent.bundled.calls import calls
from agent.bundled.confidence import Signs, probability, signs_of
from agent.bundled.decoder import ScriptDecoder, Written
from agent.bundled.delexical import delexicalise
from agent.bundled.left_out import drug_not_held, left_out, unread
from agent.bundled.lexicon import lexicon
from agent.bundled.pointers import Ambiguous, Pointers, disjoint
from agent.bundled.turns import turned
from agent.models.gguf import verify
from agent.planning.age_words import AgeWords, find_ages
from agent.planning.asked_fields import fields_asked, is_other_stay
from agent.planning.catalogue import CataloguePlanner
from agent.planning.change_words import ChangeWords, find_change
from agent.planning.chart_honoured import contradicted
from agent.planning.chart_words import ChartWords, find_chart
from agent.planning.every_one import every_one
from agent.planning.followup import continued
from agent.planning.followup_relative import related_to, relative
from agent.planning.link import Linked, Sign
from agent.planning.not_held import not_held
from agent.planning.note_search import note_search
from agent.planning.phrases import phrase
from agent.planning.plan import Action, Clarify, Plan, QueryRecords, Refuse, Turn
from agent.planning.sign_words import asked_of_sign, limit_said, with_sign
from agent.planning.subject import subject_of, which_patient
from agent.query.compile import compile
from agent.query.domains import Tables
from agent.query.model import Change, ClinicalQuery, Events, Rows
from agent.scope import Scope
from knowledge.errors import ModelError, NotInSchema, QueryRejected

PLANNER_FILE = Path(__file__).with_name("planner.gguf")
_SURE = 0.99
_TRUSTED = 0.7  # for a less sure query of an open patient, the catalogue is asked, too
_UNHEARD = 1.5  # log-probability that a script loses where words of the question call for what it lacks
LIKELY = 0.5  # a plan that is more likely wrong than right is not followed, whatever a wrong answer costs
_REASONS: dict[str, Reason] = {
    "action_request": "action_request",
    "not_in_schema": "not_in_schema",
    "out_of_scope": "out_of_scope",
    "judgement": "low_confidence",
}


class _LeftOut(QueryRejected):
    """A script leaves out words of the question.

    Attributes:
        said: the words.
    """

    def __init__(self, said: str) -> None:
        super().__init__("The plan leaves out what is asked.")
        self.said = said


@dataclass(frozen=True, slots=True)
class Reading:
    """How the network understood a question.

    Attributes:
        written: its scripts, the likeliest first; those that cannot be asked of the store are left out.
        action: what the first one asks for.
        signs: what the confidence rests on.
        used: tokens of pointers that the first one follows.
        text: the question as the network reads it.
        pointers: what a script may point at.
        change: the words that ask how large a change was, which the network does not read.
        sign: the clinical sign that is asked of a measurement.
    """

    written: tuple[Written, ...]
    action: Action
    signs: Signs
    used: frozenset[str]
    text: str
    pointers: Pointers
    change: ChangeWords | None
    sign: Sign | None


class BundledPlanner:
    """Plans with the network that comes with Chartroom.

    What the tables do not answer of an open patient, the notes may; which of the two, and what is no question
    to a record at all, the catalogue tells better, whose examples are of wards with notes. It is asked then.

    Args:
        tables: of the store that is asked (``RecordStore.tables``).
        path: the network's GGUF file.
    """

    def __init__(self, tables: Tables, path: Path = PLANNER_FILE) -> None:
        self._tables = tables
        self._path = path
        self._catalogue = CataloguePlanner()
        self._lock = threading.Lock()
        self._decoder: ScriptDecoder | None = None

    def plan(
        self,
        question: str,
        language: Language,
        linked: Linked,
        scope: Scope,
        history: tuple[Turn, ...] = (),
        stop: Callable[[], bool] | None = None,
    ) -> Plan:
        """The plan for a linked question; see :class:`~agent.planning.plan.Planner`. Too quick to be stopped."""
        subject = subject_of(linked, language, scope)
        if subject.stop is not None:
            return Plan((subject.stop,), _SURE)
        follow_up = self._beside(question, language, linked, scope, history, stop) if linked.values else None
        follow_up = follow_up or continued(question, language, linked, subject.subject_id, history)
        if follow_up is not None:
            return follow_up
        pointers = Pointers(disjoint(linked), language, subject.subject_id)
        reading = self.read(question, pointers, scope)
        sure = probability(reading.signs)
        asks = isinstance(reading.action, QueryRecords)
        if subject.subject_id is not None and not (asks and sure >= LIKELY):
            sought = self._drug_not_held(reading, subject.subject_id, scope)
            if sought is not None:
                return sought
        may_ask = "notes" in self._tables and subject.subject_id is not None
        may_ask = may_ask and reading.change is None and reading.sign is None
        if may_ask and not (asks and sure >= _TRUSTED):
            second = self._catalogue.plan(question, language, linked, scope, history, stop)
            other = _of_others(second, linked) or _of_other_stay(second, question, language)
            if (not asks or second.confidence > sure) and not other:
                asked = tuple(_all_asked(question, each, language) for each in second.actions)
                return replace(second, actions=asked)
        if not isinstance(reading.action, QueryRecords):
            return Plan((reading.action,), sure)
        if sure < LIKELY:
            return Plan((Refuse("low_confidence", phrase(language, "low_confidence")),), sure)
        lacking = not_held(reading.action.query, linked, language)
        if lacking is not None:
            return Plan((lacking,), _SURE)
        if contradicted(reading.action.query):
            return Plan((Refuse("low_confidence", phrase(language, "low_confidence")),), _SURE)
        action = _all_asked(question, reading.action, language)
        said = _said(reading, scope, unread(reading.text, lexicon()))
        return Plan((action,), sure, tuple(said))

    def _beside(
        self,
        question: str,
        language: Language,
        linked: Linked,
        scope: Scope,
        history: tuple[Turn, ...],
        stop: Callable[[], bool] | None,
    ) -> Plan | None:
        """The plan of a question about what came before or after the events of the last one."""
        found = relative(question, linked, history)
        if found is None:
            return None
        subject_id = subject_of(linked, language, scope).subject_id
        placed = None
        if found.related is not None:
            plan = self.plan(found.question, language, linked, scope, (), stop)
            placed = related_to(plan, found.related, subject_id)
        return placed or Plan((Refuse("low_confidence", phrase(language, "low_confidence")),), _SURE)

    def read(self, question: str, pointers: Pointers, scope: Scope) -> Reading:
        """What the network makes of a question about ``pointers.subject_id``, or about many.

        A clinical sign is asked of the measurements that show it, where the rest of the question can be, too.
        """
        signs = pointers.linked.signs
        if len(signs) == 1:
            measured = replace(pointers, linked=with_sign(pointers.linked, signs[0]))
            reading = self._read(question, measured, scope, signs[0])
            if isinstance(reading.action, QueryRecords):
                return reading
        reading = self._read(question, pointers, scope, None)
        ages = find_ages(question, pointers.linked, pointers.language)
        if ages is None or pointers.subject_id is not None:
            return reading
        return self._of_age(question, pointers, scope, ages, reading)

    def _of_age(
        self, question: str, pointers: Pointers, scope: Scope, ages: AgeWords, reading: Reading
    ) -> Reading:
        """The reading, or where it does not restrict ages as the question does, one without the words for them."""
        said = isinstance(reading.action, QueryRecords) and ages.is_in(reading.action.query)
        if said and probability(reading.signs) >= LIKELY:
            return reading
        plain = replace(pointers, linked=ages.without(pointers.linked))
        again = self._read(ages.left_out(question), plain, scope, None)
        refusal = Refuse(
            "low_confidence",
            phrase(pointers.language, "not_restricted", said=question[ages.start : ages.end].strip()),
        )
        if not isinstance(again.action, QueryRecords):
            return reading if said else replace(reading, action=refusal)
        query = ages.asked_of(again.action.query)
        try:
            compile(query, self._tables, scope.now)
        except (NotInSchema, QueryRejected):
            return replace(reading, action=refusal)
        return replace(again, action=replace(again.action, query=query))

    def _read(self, question: str, pointers: Pointers, scope: Scope, sign: Sign | None) -> Reading:
        language = pointers.language
        chart = find_chart(question, language)
        has_patient = pointers.subject_id is not None
        change = find_change(question, pointers.linked, language, many=not has_patient)
        if change is not None:
            pointers = replace(pointers, linked=change.without(pointers.linked))
        text = delexicalise(question, pointers.linked, has_patient=has_patient, chart=chart, change=change)
        with self._lock:
            written = self._opened().decode(text, lambda tokens: script.allowed_next(tokens, pointers))
        left = sorted(written, key=lambda one: _UNHEARD * calls().unheard(text, one.tokens) - one.logprob)
        lacking, said = False, None
        while left:
            try:
                action = self._action(left[0].tokens, question, pointers, scope, chart, change, sign)
                missed = _missed(action, left[0].tokens, pointers, text)
                if missed is None:
                    break
                said = said or missed
            except NotInSchema:
                lacking = True
            except _LeftOut as left_out_words:
                said = said or left_out_words.said
            except QueryRejected:
                pass
            left.pop(0)
        else:
            reason: Reason = "not_in_schema" if lacking else "low_confidence"
            left = list(written) or [Written((), -9.0, -9.0)]
            action = Refuse(reason, phrase(language, reason))
        if said is not None and isinstance(action, Refuse):
            action = Refuse("low_confidence", phrase(language, "not_restricted", said=said))
        used = _used(left[0].tokens, pointers)
        return Reading(tuple(left), action, signs_of(left, text), used, text, pointers, change, sign)

    def _drug_not_held(self, reading: Reading, subject_id: int, scope: Scope) -> Plan | None:
        """Look for a drug under its very name although the store has none; the notes are read when it is not there.

        Only then can the answer say that neither has it.
        """
        concept = drug_not_held(reading.text, reading.pointers, lexicon())
        if concept is None:
            return None
        orders = Events(domain="drug", concepts=(concept,))
        query = ClinicalQuery(ask=Rows(fields=("name", "time")), of=orders, patient=subject_id)
        try:
            compile(query, self._tables, scope.now)
        except NotInSchema:
            return None
        return Plan((QueryRecords(query),), _TRUSTED)

    def close(self) -> None:
        """Free the network's memory."""
        with self._lock:
            if self._decoder is not None:
                self._decoder.close()
                self._decoder = None

    def _opened(self) -> ScriptDecoder:
        if self._decoder is None:
            self._decoder = ScriptDecoder(self._path)
        return self._decoder

    def _action(
        self,
        tokens: Sequence[str],
        question: str,
        pointers: Pointers,
        scope: Scope,
        chart: ChartWords | None,
        change: ChangeWords | None,
        sign: Sign | None,
    ) -> Action:
        """What a script asks for.

        Raises:
            QueryRejected: it cannot be asked of this store.
            _LeftOut: it does not ask for the change or the sign that the question asks for.
        """
        language = pointers.language
        if tokens[0] == "notes":
            return note_search(question, language, pointers.linked, pointers.subject_id)
        if tokens[0] in _REASONS:
            return Refuse(_REASONS[tokens[0]], phrase(language, tokens[0]))
        if tokens[0] == "all" and pointers.linked.patients and "subject)" not in tokens:
            raise QueryRejected("A question about one patient is not answered of all.")
        if pointers.subject_id is None and ("one" in tokens or "subject)" in tokens):
            return which_patient(language, scope)
        try:
            query = script.parse(tokens, pointers)
        except Ambiguous as unclear:
            return Clarify(phrase(language, "which_value", said=unclear.said), unclear.options)
        if change is not None:
            asked = change.asked_of(query)
            if asked is None:
                raise _LeftOut(change.text)
            query = asked
        if sign is not None:
            asked = asked_of_sign(query, sign, timed=bool(pointers.linked.times))
            if asked is None:
                raise _LeftOut(sign.link.text)
            query = asked
        compile(query, self._tables, scope.now)
        assumed = bool({"this_admission", "this_icu"} & set(tokens))
        drawn = None if chart is None else chart.mark or "auto"
        return QueryRecords(query, stay_assumed=assumed, chart=drawn)


def identity(path: Path = PLANNER_FILE) -> Model:
    """The network, as answers name it; checked against the SHA-256 that lies beside it.

    Raises:
        ModelError: the file is missing or damaged.
    """
    try:
        lines = path.with_suffix(".sha256").read_text(encoding="ascii").splitlines()
        recorded = {name: sha256 for sha256, name in (line.split() for line in lines)}
        files = {name: verify(path.with_name(name), sha256) for name, sha256 in recorded.items()}
        return Model(name=files[path.name].name, sha256=files[path.name].sha256)
    except (OSError, ValueError, KeyError):
        raise ModelError(f"The checksum beside {path} cannot be read. Install Chartroom again.") from None


def _of_others(plan: Plan, linked: Linked) -> bool:
    """Whether a plan asks of everyone although the question points to the open patient ("his furosemide")."""
    pointed = any(patient.how == "scope" for patient in linked.patients)
    return pointed and any(isinstance(a, QueryRecords) and a.query.patient is None for a in plan.actions)


def _of_other_stay(plan: Plan, question: str, language: Language) -> bool:
    """Whether a plan asks of the admission what the question asks of the ICU stay."""
    queries = (action.query for action in plan.actions if isinstance(action, QueryRecords))
    return any(is_other_stay(question, language, query) for query in queries)


def _all_asked(question: str, action: Action, language: Language) -> Action:
    """An action whose query is of all values where the question asks for several, with the fields it asks for."""
    if not isinstance(action, QueryRecords):
        return action
    query = fields_asked(question, language, every_one(question, action.query))
    return action if query == action.query else replace(action, query=query, intent=None)


def _missed(action: Action, tokens: Sequence[str], pointers: Pointers, text: str) -> str | None:
    """The words of the question that a query contradicts or leaves out."""
    if not isinstance(action, QueryRecords):
        return None
    return turned(text, tokens) or left_out(text, tokens, _used(tokens, pointers), pointers, lexicon())


def _used(tokens: Sequence[str], pointers: Pointers) -> frozenset[str]:
    """The pointers that a script follows; a number that it writes out counts, too."""
    found = set()
    for token in tokens:
        if token[:1] in "vten" and token[1:2].isdigit():
            found.add(token[:2])
    literals = {float(token) for token in tokens if token.isdigit()}
    for place in pointers.places("n"):
        if pointers.number(f"n{place}")[0] in literals:
            found.add(f"n{place}")
    return frozenset(found)


def _said(reading: Reading, scope: Scope, words: Sequence[str]) -> Iterator[str]:
    """What was taken for granted: readings of values and times, what is left out, who is meant."""
    pointers = reading.pointers
    language, linked = pointers.language, pointers.linked
    action = reading.action
    assert isinstance(action, QueryRecords)
    said: list[str | None] = [phrase(language, "not_used", said=word) for word in words]
    if reading.sign is not None:
        said.append(limit_said(reading.sign, language))
    for events in _events(action.query):
        for concept in events.concepts:
            for place in pointers.places_of_concept(events.domain, concept) or ():
                if reading.sign is not None and linked.values[place - 1] == reading.sign.link:
                    continue  # said with its limit
                said.append(pointers.choice(place, events.domain, concept.field).assumption)
    periods = [time for time in linked.times if time.window is not None]
    stays = [time for time in linked.times if time.window is None and time.encounter is not None]
    for kind, times in (("t", periods), ("e", stays)):
        for place, time in enumerate(times, 1):
            used = f"{kind}{place}" in reading.used
            said.append(time.assumption if used else phrase(language, "not_used", said=time.text))
    for place, link in enumerate(linked.values, 1):
        if f"v{place}" not in reading.used and link.candidates:
            said.append(phrase(language, "not_used", said=link.text))
    if action.stay_assumed:
        said.append(phrase(language, "this_stay"))
    if action.query.patient is None and scope.patient is not None:
        said.append(phrase(language, "all_patients"))
    if action.query.patient is not None and scope.patient not in (None, action.query.patient):
        said.append(phrase(language, "other_patient", said=str(action.query.patient)))
    yield from dict.fromkeys(one for one in said if one)


def _events(query: ClinicalQuery) -> Iterator[Events]:
    """All sets of events in a query."""
    queue = [query.of]
    if isinstance(query.ask, Change) and query.ask.earlier_of is not None:
        queue.append(query.ask.earlier_of)
    while queue:
        events = queue.pop()
        yield events
        queue += [related.events for related in events.related]
