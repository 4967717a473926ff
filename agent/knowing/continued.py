"""Follow-ups of a question that walked the graphs: said again, asked of something else, or of all the drugs."""

from dataclasses import replace

from agent.answer import Language
from agent.knowing.effect_words import named_effect
from agent.knowing.reading import Reading
from agent.knowing.wordings import says
from agent.planning.plan import ExploreGraph, Turn
from agent.scope import Scope

_TYPES = {
    "safety": ("drug", "drug_class"),
    "interactions": ("drug", "drug_class"),
    "effects": ("disease", "finding"),
    "explanation": ("disease", "finding"),
    "workup": ("disease", "finding"),
    "timeline": ("disease", "finding", "drug", "procedure"),
    "cohort": ("disease", "finding"),
}
"""What each question can be asked of instead."""


def continued(
    question: str, language: Language, history: tuple[Turn, ...], named: Reading, scope: Scope
) -> ExploreGraph | None:
    """The walk that a question goes on with; ``None`` where it does not go on with one.

    Args:
        question: as asked.
        language: of the question.
        history: the turns before, oldest first.
        named: the concepts of the question.
        scope: a walk about another patient than the one that is open now is not gone on with.
    """
    last = _walk(history)
    if last is None or last.subject_id not in (None, scope.patient):
        return None
    if says(question, language, "again"):
        return last
    if not says(question, language, "instead"):
        return None
    if last.ask == "safety" and says(question, language, "other_drugs"):
        return replace(last, concepts=(), relations=())
    concepts = named.of(*_TYPES.get(last.ask, ()))
    if last.ask == "effects":
        concepts = named_effect(question) or concepts
    return replace(last, concepts=concepts) if concepts else None


def _walk(history: tuple[Turn, ...]) -> ExploreGraph | None:
    """What the turn before walked."""
    plan = history[-1].plan if history else None
    action = plan.actions[0] if plan is not None and len(plan.actions) == 1 else None
    return action if isinstance(action, ExploreGraph) else None
