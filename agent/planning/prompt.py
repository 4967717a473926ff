"""The conversation that a model plans in: the task, examples, the question with all that was linked in it.

All text from outside (the question, values of the store) stands in JSON strings; names of control tokens in
it are broken where the conversation is rendered (``agent.models.template``).
"""

import json
from collections.abc import Iterable, Mapping

from agent.planning.askable import Askable
from agent.planning.demonstrations import Demonstration
from agent.planning.form import write_form
from agent.planning.offer import Offer, Offered, number_text
from agent.planning.prompt_text import prompt_text
from agent.query.domains import shared_fields
from agent.query.model import Domain

Message = dict[str, str]
_SHOWN = 80  # characters of a value; the plan names its position, so nothing is lost
_VALUES_SHOWN = 3


def system(domains: Mapping[Domain, Askable]) -> Message:
    """The task, and what the store can be asked."""
    lines = (f"{at.domain} ({at.label}): {', '.join(at.own)}" for at in domains.values())
    shared = [name for name in shared_fields() if any(name in at.fields for at in domains.values())]
    text = prompt_text().system.format(domains="\n".join(lines), shared=", ".join(shared))
    return {"role": "system", "content": text.strip()}


def asked(question: str, offer: Offer) -> Message:
    """A question with the lists that its plan points into."""
    text = prompt_text().question.format(
        question=_quoted(question),
        patient="all patients" if offer.who == ("all",) else "one patient is open or named",
        values=_listed(_value(offered) for offered in offer.values),
        periods=_listed(_quoted(time.text) for time in offer.periods),
        stays=_listed(_quoted(time.text) for time in offer.stays),
        numbers=_listed(map(number_text, offer.numbers)),
    )
    return {"role": "user", "content": text.strip()}


def shown(demonstration: Demonstration) -> list[Message]:
    """A demonstration as a turn of the conversation."""
    answer = {"role": "assistant", "content": write_form(demonstration.form)}
    return [asked(demonstration.question, demonstration.offer), answer]


def repair(written: str, error: str) -> list[Message]:
    """What follows a plan that cannot be run."""
    complaint = {"role": "user", "content": prompt_text().repair.format(error=error)}
    return [{"role": "assistant", "content": written}, complaint]


def _value(offered: Offered) -> str:
    said = f"{_quoted(offered.said)} in {offered.domain}"
    if offered.concept is None:
        return f"{said}, ambiguous"
    values = ", ".join(_quoted(value[:_SHOWN]) for value in offered.concept.values[:_VALUES_SHOWN])
    more = len(offered.concept.values) - _VALUES_SHOWN
    return f"{said}: {offered.concept.field} {values}" + (f" and {more} more" if more > 0 else "")


def _listed(lines: Iterable[str]) -> str:
    numbered = [f"\n{place}. {line}" for place, line in enumerate(lines, 1)]
    return "".join(numbered) or " none"


def _quoted(text: str) -> str:
    """Text from outside, as a JSON string: it ends where its quotation mark ends."""
    return json.dumps(text, ensure_ascii=False)
