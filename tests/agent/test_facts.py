"""What is checked in a sentence is found, and names that hold digits are not taken for figures."""

import pytest

from agent.facts import facts, has_number


@pytest.mark.parametrize(
    ("text", "numbers", "dates"),
    [
        ("The latest creatinine was 1.9 mg/dL on 2025-02-27 06:00.", (1.9,), ("2025-02-27 06:00",)),
        ("最近一次肌酐（Creatinine）为1.9 mg/dL（2025-02-27 06:00）。", (1.9,), ("2025-02-27 06:00",)),
        ("12,300 in 2100-03, a change of -0.3", (12300.0, -0.3), ("2100-03",)),
        ("COVID-19, vitamin B12 and 400mg", (400.0,), ()),
        ("The latest pressure was 125/69 mmHg.", (125.0, 69.0), ()),
        ("2100-03-19 14:38:00", (), ("2100-03-19 14:38",)),
    ],
)
def test_numbers_and_dates(text: str, numbers: tuple[float, ...], dates: tuple[str, ...]) -> None:
    found = facts(text)
    assert found.numbers == numbers
    assert found.dates == dates


def test_a_quotation_is_checked_as_a_whole() -> None:
    found = facts("Nursing note, 2026-01-02: “BP 120/80, walks 20 m”")
    assert found.quotations == ("BP 120/80, walks 20 m",)
    assert found.numbers == ()


def test_a_number_holds_if_rounding_gives_it() -> None:
    assert has_number(1.33, [4 / 3])
    assert has_number(7.0, [7])
    assert not has_number(1.34, [4 / 3])
    assert not has_number(1.9, [1.8, 19.0])
