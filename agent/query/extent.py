"""Whether a change is as large as was asked about, as an SQL expression over two rows."""

from agent.query.literals import literal
from agent.query.model import Extent
from agent.query.reference import in_unit

_EXACT = 9  # decimals within which two computed numbers are the same: 3 * 0.7 is 2.1


def is_as_large(extent: Extent, later: str, earlier: str, analyte: str | None) -> str:
    """SQL that is 1, 0 or NULL (not known): did the value change so much between two rows?

    A multiple or a percentage of nothing, or of a negative value, is not known.

    Args:
        extent: how much.
        later: alias of a row with the columns ``value`` and ``unit``.
        earlier: alias of the row before it, in the same unit.
        analyte: what they measure, where it is known; its units convert.
    """
    new, old = f"{later}.value", f"{earlier}.value"
    if extent.unit is not None:
        new, old = (in_unit(f"{row}.value", f"{row}.unit", analyte, extent.unit) for row in (later, earlier))
    excesses = [
        excess
        for direction, excess in zip(("rise", "fall"), _excess(extent, new, old), strict=True)
        if extent.direction in (direction, "either")
    ]
    sign = ">" if extent.beyond else ">="
    test = f"({' OR '.join(f'ROUND({excess}, {_EXACT}) {sign} 0' for excess in excesses)})"
    return test if extent.kind == "amount" else f"(CASE WHEN {old} > 0 THEN {test} END)"


def _excess(extent: Extent, new: str, old: str) -> tuple[str, str]:
    """By how much a rise, and a fall, is larger than was asked about."""
    by = literal(extent.by)
    if extent.kind == "times":
        return f"{new} - {by} * {old}", f"{old} - {by} * {new}"
    if extent.kind == "percent":
        return f"({new} - {old}) * 100 - {by} * {old}", f"({old} - {new}) * 100 - {by} * {old}"
    return f"{new} - {old} - {by}", f"{old} - {new} - {by}"
