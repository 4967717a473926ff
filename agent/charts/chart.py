"""Draws a result, or says why it cannot be drawn: frame, mark, fewer points, specification."""

from agent.answer import Language
from agent.charts.drawing import Chart, Drawing
from agent.charts.fit import fitted, mark_of
from agent.charts.frame import Frame
from agent.charts.mark import AskedChart, Mark
from agent.charts.prepare import prepare
from agent.charts.reader import frame_of
from agent.charts.spec import specification
from agent.charts.words import headed, word
from agent.query.execute import Outcome
from agent.query.model import Group, Readmission, Rows, Survival, Top, Trend
from agent.query.numerals import number


def draw(outcome: Outcome, asked: AskedChart, language: Language) -> Drawing:
    """Draw a result.

    Args:
        outcome: the result, with the evidence behind its rows.
        asked: the mark that was asked for; one that does not fit is replaced, which the notes say.
        language: of titles and notes.
    """
    frame = frame_of(outcome, language)
    if frame is None:
        lists = isinstance(outcome.query.ask, Rows | Trend | Group | Top | Readmission | Survival)
        key = "nothing" if lists and len(outcome.rows) != 1 else "single"
        return Drawing(None, (word(language, f"note.{key}"),))
    mark, replaced = mark_of(frame, asked)
    notes = []
    if replaced and asked != "auto":
        names = {"asked": word(language, f"mark.{asked}"), "drawn": word(language, f"mark.{mark}")}
        needs = word(language, f"needs.{asked}")
        notes.append(headed(word(language, "note.replaced", needs=needs, **names)))
    frame = fitted(frame, mark, language)
    prepared, more = prepare(frame, mark, language)
    notes += more
    if outcome.truncated:
        notes.append(word(language, "note.capped", n=len(outcome.rows)))
    summary = _summary(frame, mark, language)
    spec = specification(prepared, mark, language, summary)
    return Drawing(Chart(mark, summary, _spread(frame), spec), tuple(notes))


def _spread(frame: Frame) -> tuple[float, ...]:
    figures = frame.numbers()
    if frame.shape not in ("values", "grouped") or frame.left_out:
        return ()
    return (len(figures), min(figures), max(figures))


def _summary(frame: Frame, mark: Mark, language: Language) -> str:
    """What the chart shows, in one sentence, for those who do not see it."""
    kind, figures = headed(word(language, f"mark.{mark}")), frame.numbers()
    slots: dict[str, object] = {"kind": kind, "title": frame.title, "n": len(frame.points)}
    if not figures:
        return word(language, "summary.plain", **slots)
    scale = 100 if frame.percent else 1
    unit = f" {frame.value.unit}" if frame.value and frame.value.unit else ""
    slots["low"], slots["high"] = (f"{number(f * scale)}{unit}" for f in (min(figures), max(figures)))
    if frame.is_timed and frame.across is not None:
        times = sorted(frame.texts(frame.across))
        return word(language, "summary.series", first=times[0], last=times[-1], **slots)
    key = "figures" if frame.shape == "categories" else "values"
    return word(language, f"summary.{key}", **slots)
