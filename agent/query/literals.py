"""SQL literals: the one place where a value becomes SQL text.

Queries are shown to people and go through a guard, so values stand in the SQL itself; SQLite needs no
other escape in a string than the doubled quote. NUL, which would end the text early, is refused.
"""

import math
from collections.abc import Iterable

from knowledge.errors import QueryRejected


def literal(value: str | int | float) -> str:
    """A value as SQL text.

    Raises:
        QueryRejected: a NUL character, or a number that is not finite.
    """
    if isinstance(value, str):
        if "\0" in value:
            raise QueryRejected("A value of the query has a NUL character in it; leave it out.")
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float) and not math.isfinite(value):
        raise QueryRejected("A number of the query is not finite; give a plain number.")
    return repr(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


def members(values: Iterable[str | int | float]) -> str:
    """Values as the inside of ``IN (…)``."""
    return ", ".join(literal(value) for value in values)
