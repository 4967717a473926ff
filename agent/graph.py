"""The way of a question, top to bottom: scope → link → plan → act → compose → verify.

Each node reads the state and adds to it; what it needs beside the state is in ``Run``. The tools that a plan
names run side by side. Nothing here knows SQL, FAISS or a prompt.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send

from agent.answer import Step
from agent.charts.tool import for_chart, make_chart
from agent.compose import compose
from agent.events import EvidenceFound, StepFinished, StepStarted, Token
from agent.language import language_of
from agent.phrases import say
from agent.planning.plan import (
    Action,
    Clarify,
    ExploreGraph,
    QueryRecords,
    Refuse,
    SearchKnowledge,
    SearchNotes,
    Turn,
)
from agent.records import query_records
from agent.rooms import Run
from agent.state import Failed, NotesFinding, RecordsFinding, State
from agent.stays import at_stay
from agent.verify import finish
from agent.verify import verify as verify_draft

REMEMBERED_TURNS = 8
Nodes = dict[str, Any]
_TOOLS: Mapping[type[Action], str] = {
    QueryRecords: "query_records",
    SearchNotes: "search_notes",
    ExploreGraph: "explore_graph",
    SearchKnowledge: "search_knowledge",
}


def build_graph() -> StateGraph[State, Run]:
    """The graph, not yet compiled."""
    graph = StateGraph(State, context_schema=Run)
    graph.add_node("scope", scope)
    graph.add_node("link", link)
    graph.add_node("plan", plan)
    graph.add_node("query_records", act_query_records)
    graph.add_node("search_notes", act_search_notes)
    graph.add_node("explore_graph", act_explore_graph)
    graph.add_node("search_knowledge", act_search_knowledge)
    graph.add_node("compose", compose_draft)
    graph.add_node("verify", verify)
    graph.add_edge(START, "scope")
    graph.add_conditional_edges(
        "scope", lambda s: "compose" if s["findings"] else "link", ["compose", "link"]
    )
    graph.add_edge("link", "plan")
    graph.add_conditional_edges("plan", dispatch, [*_TOOLS.values(), "compose"])
    graph.add_conditional_edges("query_records", after_records, ["search_notes", "compose"])
    graph.add_edge("search_notes", "compose")
    graph.add_edge("explore_graph", "compose")
    graph.add_edge("search_knowledge", "compose")
    graph.add_edge("compose", "verify")
    graph.add_edge("verify", END)
    return graph


def scope(state: State, runtime: Runtime[Run]) -> Nodes:
    """Who asks about whom: the open patient must exist and be permitted. Nothing else is looked at before."""
    given, language = state["scope"], language_of(state["question"])
    found: list[Failed] = []
    with _step(runtime, "scope", {"patient": given.patient, "now": given.now}) as done:
        if given.patient is not None and not given.may_see(given.patient):
            found.append(
                Failed("no_permission", say(language, "scope.no_permission", subject_id=given.patient))
            )
        elif given.patient is not None and not runtime.context.rooms.has_patient(given.patient):
            found.append(
                Failed("no_such_patient", say(language, "scope.no_such_patient", subject_id=given.patient))
            )
        done.summary = say(language, "step.scope", patient=given.patient or "–", now=given.now)
    return {"language": language, "findings": found, "steps": [done.step]}


def link(state: State, runtime: Runtime[Run]) -> Nodes:
    """The values, patients and times that the question names."""
    with _step(runtime, "link", {"question": state["question"]}) as done:
        linked = runtime.context.rooms.linker.link(state["question"], state["language"], state["scope"])
        shown = [f"{v.text} → {v.candidates[0].value}" for v in linked.values if v.candidates]
        shown += [t.text for t in linked.times] + [p.text for p in linked.patients]
        done.summary = "; ".join(shown) or "–"
    return {"linked": linked, "steps": [done.step]}


def plan(state: State, runtime: Runtime[Run]) -> Nodes:
    """Which tools, with which arguments; or a question back, or a refusal."""
    with _step(runtime, "plan", {"risk": state["risk"]}) as done:
        planned = runtime.context.rooms.planner.plan(
            state["question"],
            state["language"],
            state["linked"],
            state["scope"],
            tuple(state.get("turns", ())),
            stop=runtime.context.stopped.is_set,
        )
        # Answering pays if the expected gain, p − (1 − p)·C, is positive; every refusal is worth nothing.
        answers = any(type(action) in _TOOLS for action in planned.actions)
        if answers and planned.confidence < state["risk"] / (1 + state["risk"]):
            text = say(state["language"], "plan.low_confidence", confidence=round(planned.confidence, 2))
            planned = type(planned)(
                (Refuse("low_confidence", text),), planned.confidence, planned.assumptions
            )
        done.summary = ", ".join(_named(action) for action in planned.actions)
    return {"plan": planned, "steps": [done.step]}


def dispatch(state: State) -> list[Send] | str:
    """The tools that the plan names, side by side; a refusal or a question back needs none."""
    sends = [
        Send(_TOOLS[type(action)], {**state, "action": action})
        for action in state["plan"].actions
        if type(action) in _TOOLS
    ]
    return sends or "compose"


def after_records(state: State) -> list[Send] | str:
    """Where the tables hold nothing of an open patient, the notes of the same time are read before that is said."""
    actions, findings = state["plan"].actions, state["findings"]
    only = findings[0] if len(actions) == len(findings) == 1 else None
    drawn = isinstance(only, RecordsFinding) and only.action.chart is not None  # notes cannot be drawn
    if (
        isinstance(only, RecordsFinding)
        and only.outcome.empty
        and not drawn
        and only.action.query.patient is not None
    ):
        asked = only.outcome.query  # of all stays, where the one taken for granted holds nothing
        search = SearchNotes(
            state["question"], asked.patient, window=asked.of.window, encounter=asked.of.encounter
        )
        return [Send("search_notes", {**state, "action": search})]
    return "compose"


def act_query_records(state: State, runtime: Runtime[Run]) -> Nodes:
    """Ask the tables, and draw what they say where a chart is asked for."""
    planned = state["action"]
    assert isinstance(planned, QueryRecords)
    action, wider = for_chart(planned, state["language"])
    with _step(runtime, "query_records", action.query.model_dump(exclude_defaults=True)) as done:
        finding = query_records(action, state["scope"], runtime.context.rooms.store, state["language"])
        done.summary = (
            finding.text
            if isinstance(finding, Failed)
            else say(state["language"], "step.query_records", rows=len(finding.outcome.rows))
        )
    steps = [done.step]  # now: its time is that of the look-up alone
    if isinstance(finding, Failed) or finding.outcome.empty or action.chart is None:
        return {"findings": [finding], "steps": steps}
    with _step(runtime, "make_chart", {"mark": action.chart}) as drawn:
        drawing = make_chart(
            finding.outcome, action.chart, state["scope"], runtime.context.rooms.store, state["language"]
        )
        chart = say(state["language"], "step.no_chart") if drawing.chart is None else drawing.chart.summary
        drawn.summary = chart
    finding = replace(finding, drawing=replace(drawing, notes=(*wider, *drawing.notes)))
    return {"findings": [finding], "steps": [*steps, drawn.step]}


def act_search_notes(state: State, runtime: Runtime[Run]) -> Nodes:
    """Ask the notes."""
    action, language, rooms = state["action"], state["language"], runtime.context.rooms
    assert isinstance(action, SearchNotes)
    with _step(runtime, "search_notes", {"text": action.text, "patient": action.subject_id}) as done:
        if action.subject_id is not None and not state["scope"].may_see(action.subject_id):
            text = say(language, "scope.no_permission", subject_id=action.subject_id)
            finding = Failed("no_permission", text)
        elif rooms.reader is None:
            finding = Failed(
                "not_in_schema", say(language, "records.not_in_schema", what=say(language, "note.notes"))
            )
        else:
            placed = at_stay(action, rooms.store, state["scope"])
            found = rooms.reader.read(placed, state["scope"]) if placed else NotesFinding(action, (), 0)
            finding = replace(found, action=action)
        done.summary = (
            finding.text
            if isinstance(finding, Failed)
            else say(language, "step.search_notes", found=len(finding.sentences), searched=finding.searched)
        )
    return {"findings": [finding], "steps": [done.step]}


def act_explore_graph(state: State, runtime: Runtime[Run]) -> Nodes:
    """Walk the knowledge graph and the patient graph."""
    action, language = state["action"], state["language"]
    assert isinstance(action, ExploreGraph)
    given = {"ask": action.ask, "patient": action.subject_id, "concepts": list(action.concepts)}
    with _step(runtime, "explore_graph", given) as done:
        finding = runtime.context.rooms.explorer.explore(action, state["scope"], language)
        done.summary = (
            finding.text
            if isinstance(finding, Failed)
            else say(language, "step.explore_graph", points=len(finding.points))
        )
    return {"findings": [finding], "steps": [done.step]}


def act_search_knowledge(state: State, runtime: Runtime[Run]) -> Nodes:
    """Ask the imported documents."""
    action, language, reader = state["action"], state["language"], runtime.context.rooms.passages
    assert isinstance(action, SearchKnowledge)
    with _step(runtime, "search_knowledge", {"text": action.text}) as done:
        if reader is None:
            finding = Failed("out_of_scope", say(language, "passage.none", searched=0))
            done.summary = finding.text
        else:
            finding = reader.read(action)
            done.summary = say(
                language, "step.search_knowledge", found=len(finding.sentences), searched=finding.searched
            )
    return {"findings": [finding], "steps": [done.step]}


def compose_draft(state: State, runtime: Runtime[Run]) -> Nodes:
    """Sentences with evidence from what the tools brought."""
    with _step(runtime, "compose", {}) as done:
        draft = compose(state)
        done.summary = say(state["language"], "step.compose", n=len(draft.sentences))
    return {"draft": draft, "steps": [done.step]}


def verify(state: State, runtime: Runtime[Run]) -> Nodes:
    """Every sentence against its evidence; what fails is dropped, and if nothing is left it is a refusal."""
    with _step(runtime, "verify", {}) as done:
        rooms = runtime.context.rooms
        explorer = rooms.explorer
        checked = verify_draft(
            state["draft"], state["scope"], rooms.store, explorer.graph, explorer.library, explorer.finder
        )
        done.summary = say(
            state["language"], "step.verify", kept=len(checked.sentences), all=len(state["draft"].sentences)
        )
    answer = finish(state, checked, (*state["steps"], done.step), runtime.context.rooms.model)
    write = get_stream_writer()
    for evidence in answer.evidence:
        write(EvidenceFound(evidence))
    for piece in answer.text.splitlines(keepends=True):
        write(Token(piece))
    turns = [*state.get("turns", ()), Turn(state["question"], state.get("plan"))][-REMEMBERED_TURNS:]
    return {"answer": answer, "steps": [done.step], "turns": turns}


class _Doing:
    """A step while it runs."""

    def __init__(self, tool: str, given: dict[str, Any]) -> None:
        self.tool, self.given, self.summary, self.began = tool, given, "", time.perf_counter()

    @property
    def step(self) -> Step:
        """The step as far as it has come."""
        spent = round((time.perf_counter() - self.began) * 1000)
        return Step(tool=self.tool, input=self.given, summary=self.summary, ms=spent)


@contextmanager
def _step(runtime: Runtime[Run], tool: str, given: dict[str, Any]) -> Iterator[_Doing]:
    """Announce a step, let it fill in its summary, and report it; a stopped question goes no further."""
    runtime.context.check()
    write = get_stream_writer()
    write(StepStarted(tool, tool))
    doing = _Doing(tool, given)
    yield doing
    write(StepFinished(doing.step))


def _named(action: object) -> str:
    if isinstance(action, QueryRecords):
        return f"query_records · {action.intent or action.query.ask.ask}"
    if isinstance(action, SearchNotes | SearchKnowledge):
        return _TOOLS[type(action)]
    if isinstance(action, ExploreGraph):
        return f"explore_graph · {action.ask}"
    if isinstance(action, Clarify):
        return "clarify"
    return f"refuse · {action.reason}" if isinstance(action, Refuse) else type(action).__name__
