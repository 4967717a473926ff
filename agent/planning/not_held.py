"""A name that nothing in the store is of: the answer says so, and does not count nobody.

"0 patients" would read as if it had been looked for and ruled out. What one patient's record lacks is said by the
answer itself; here it is about questions of many.
"""

from agent.answer import Language
from agent.planning.link import Linked
from agent.planning.phrases import phrase
from agent.planning.plan import Refuse
from agent.query.domains import bindings
from agent.query.model import ClinicalQuery


def not_held(query: ClinicalQuery, linked: Linked, language: Language) -> Refuse | None:
    """The refusal of a question of many about a name without title, code or concept in the store, or ``None``.

    Args:
        query: as planned.
        linked: what the question names.
        language: of the refusal.
    """
    if query.patient is not None:
        return None
    absent = {c.value for link in linked.values for c in link.candidates if c.how == "absent"}
    partners = (related.events for related in query.of.related if not related.negated)
    for events in (query.of, *partners):
        lacking = next((c for c in events.concepts if absent.issuperset(c.values)), None)
        if lacking is not None:
            at = bindings()[events.domain]
            label = at.label_zh if language == "zh" else at.label_en[0]
            text = phrase(language, "no_such_name", label=label, said=lacking.said or lacking.values[0])
            return Refuse("not_documented", text)
    return None
