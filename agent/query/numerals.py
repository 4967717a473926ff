"""Numbers and times as sentences show them."""

from agent.answer import Cell


def number(value: Cell, decimals: int | None = None) -> str:
    """A number as the record has it, or rounded to ``decimals`` where it was computed; text stays."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if decimals is not None:
        value = round(float(value), decimals)
    text = f"{value:.10f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return "0" if text == "-0" else text


def decimals_of(values: tuple[Cell, ...]) -> int:
    """The most decimals that any of these numbers has, four at most."""
    texts = (number(v).partition(".")[2] for v in values if isinstance(v, int | float))
    return min(4, max((len(t) for t in texts), default=0))


def moment(text: Cell) -> str:
    """A time to the minute; a plain date where the record gives no more."""
    if not isinstance(text, str) or len(text) < 16:
        return number(text)
    return text[:10] if text.endswith(" 00:00:00") else text[:16]
