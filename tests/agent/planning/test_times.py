"""Times of questions, both languages, from a table."""

from pathlib import Path

import pytest
import yaml

from agent.planning.link import TimeLink
from agent.planning.times import resolve_times

NOW = "2100-12-31 23:59:00"
TABLE = yaml.safe_load((Path(__file__).parent / "times.yaml").read_text(encoding="utf-8"))


def plain(link: TimeLink) -> list[str | None] | str:
    if link.window is not None:
        return [link.window.start, link.window.end]
    stay = link.encounter
    assert stay is not None
    nth = f" {stay.n}" if stay.which == "nth" else ""
    hours = f" {stay.from_hours:g}-{stay.to_hours:g}" if stay.to_hours else ""
    return f"{stay.kind} {stay.which}{nth}{hours}"


@pytest.mark.parametrize(("words", "expected"), TABLE.items())
def test_words_mean_this_time(words: str, expected: object) -> None:
    found = [plain(link) for link in resolve_times(words, "en", NOW)]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("creatinine in the last 24 hours, please", "in the last 24 hours"),
        ("最近三天的血钾", "最近三天"),
        ("２１００年３月的肌酐", "２１００年３月"),
        ("was K high between 2100-03-01 and 2100-03-19?", "between 2100-03-01 and 2100-03-19"),
    ],
)
def test_a_time_knows_its_place_in_the_question(question: str, words: str) -> None:
    (link,) = resolve_times(question, "en", NOW)
    assert question[link.start : link.end] == link.text == words


def test_a_guess_is_said_in_the_language_of_the_question() -> None:
    (english,) = resolve_times("labs on 03/04/2100", "en", NOW)
    (chinese,) = resolve_times("入院时肌酐", "zh", NOW)
    assert english.assumption == "03/04/2100 is read month first"
    assert chinese.assumption is not None and "24 小时" in chinese.assumption


def test_a_window_that_ends_now_holds_an_event_at_now() -> None:
    (link,) = resolve_times("past 3 days", "en", NOW)
    assert link.window is not None and link.window.end is not None and link.window.end > NOW
