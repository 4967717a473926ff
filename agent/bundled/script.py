"""Plan scripts: the short token language that the bundled planner writes, and its grammar.

A script is a :class:`~agent.query.model.ClinicalQuery` in which everything that comes from the question is a
pointer: ``v1`` a linked value, ``t1`` a period, ``e1`` an encounter, ``n1`` a number. "What was the patient's
last potassium this admission?" is ``one rows .value lab( v1 e1 pick( which=last ) )``. Questions that are no
query to the tables have scripts of one word (:data:`ASIDES`).

The grammar is not written down a second time: it follows from the fields of the query model. One reader walks
them, and at each step says which tokens may come next; parsing sends it the script's tokens, decoding sends it
the likeliest one that is allowed, so that a model cannot write a script that does not parse.
"""

from collections.abc import Sequence

from pydantic import ValidationError

from agent.bundled.grammar import ASIDES, END, WHO, NotAScript, vocabulary
from agent.bundled.pointers import Pointers
from agent.bundled.script_reader import query_reader
from agent.bundled.script_writer import write
from agent.query.model import ClinicalQuery

__all__ = ["ASIDES", "END", "NotAScript", "allowed_next", "parse", "vocabulary", "write"]


def parse(tokens: Sequence[str], pointers: Pointers) -> ClinicalQuery:
    """The query that a script means for one question.

    Args:
        tokens: the script, without :data:`END`.
        pointers: what the question names, and whom ``one`` means.

    Raises:
        NotAScript: the tokens are no script, or the query they give is invalid.
    """
    reader = query_reader(pointers)
    try:
        allowed = next(reader)
        for token in (*tokens, END):
            if token not in allowed:
                raise NotAScript("The plan is not valid: a token stands where it may not.")
            allowed = reader.send(token)
    except StopIteration as done:
        return done.value
    except (ValidationError, ValueError):
        raise NotAScript("The plan is not valid: its parts do not go together.") from None
    raise NotAScript("The plan is not valid: it is not finished.")


def allowed_next(tokens: Sequence[str], pointers: Pointers) -> tuple[str, ...]:
    """The tokens that may follow; :data:`END` is one of them where the script may stop.

    None may follow where the parts so far do not go together, such as a range without numbers.

    Raises:
        NotAScript: a token stands where it may not.
    """
    if not tokens:
        return (*WHO, *ASIDES)
    if tokens[0] in ASIDES:
        return (END,)
    reader = query_reader(pointers.loosely())
    allowed = next(reader)
    try:
        for token in tokens:
            if token not in allowed:
                raise NotAScript("The plan is not valid: a token stands where it may not.")
            allowed = reader.send(token)
    except (StopIteration, ValidationError):
        return ()
    return allowed
