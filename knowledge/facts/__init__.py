"""Clinical facts: typed relations between concepts, the conditions under which they hold, and derived values."""

from knowledge.facts.conditions import Comparison, Condition, Reading, Verdict, evaluate, parse
from knowledge.facts.facts import RELATIONS, Fact, FactReview, RejectedRow, read_facts, review_facts
from knowledge.facts.measures import AGE, resolver

__all__ = [
    "AGE",
    "RELATIONS",
    "Comparison",
    "Condition",
    "Fact",
    "FactReview",
    "Reading",
    "RejectedRow",
    "Verdict",
    "evaluate",
    "parse",
    "read_facts",
    "resolver",
    "review_facts",
]
