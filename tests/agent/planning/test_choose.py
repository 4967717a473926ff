"""Which values a mention means in one field of one domain."""

from agent.planning.choose import Choice, choose_in
from agent.planning.link import Candidate, Link
from agent.query.model import Domain


def link(text: str, *candidates: tuple[Domain, str, str, float, str, int]) -> Link:
    return Link(0, len(text), text, tuple(Candidate(*candidate) for candidate in candidates))


HEPARIN = link(
    "heparin",
    ("drug", "name", "Heparin", 1.0, "exact", 121),
    ("drug", "name", "Heparin Flush (10 units/ml)", 0.95, "ingredient", 41),
    ("input", "name", "Heparin Sodium", 0.95, "ingredient", 7),
)


def values(choice: Choice) -> tuple[str, ...]:
    return choice.concept.values if choice.concept else ()


def test_words_that_are_a_value_mean_only_that_value_and_the_others_are_named() -> None:
    choice = choose_in(HEPARIN, "drug", "name", "en")
    assert values(choice) == ("Heparin",)
    assert choice.assumption == (
        "“heparin” is read as exactly Heparin; the record also has Heparin Flush (10 units/ml)"
    )
    assert "Heparin Flush" in (choose_in(HEPARIN, "drug", "name", "zh").assumption or "")


def test_the_planner_says_in_which_domain() -> None:
    assert values(choose_in(HEPARIN, "input", "name", "en")) == ("Heparin Sodium",)
    assert choose_in(HEPARIN, "lab", "name", "en") == Choice(None, None)


def test_case_and_spacing_do_not_matter() -> None:
    flush = link(
        "sodium chloride 0.9% flush",
        ("drug", "name", "0.9% Sodium Chloride", 0.99, "name", 271),
        ("drug", "name", "Sodium Chloride 0.9%  Flush", 0.99, "name", 264),
    )
    assert values(choose_in(flush, "drug", "name", "en")) == ("Sodium Chloride 0.9%  Flush",)


def test_where_no_value_has_the_name_all_that_it_covers_are_meant() -> None:
    insulin = link(
        "insulin",
        ("drug", "name", "Insulin Lispro", 0.95, "ingredient", 30),
        ("drug", "name", "Insulin Glargine", 0.95, "ingredient", 20),
    )
    assert values(choose_in(insulin, "drug", "name", "en")) == ("Insulin Lispro", "Insulin Glargine")


def test_a_value_that_the_record_never_uses_does_not_win_by_its_name() -> None:
    glucose = link(
        "glucose",
        ("lab", "name", "glucose", 1.0, "exact", 0),
        ("lab", "name", "Glucose (serum)", 0.96, "label", 50),
    )
    assert values(choose_in(glucose, "lab", "name", "en")) == ("Glucose (serum)",)


def test_two_measurements_that_are_equally_near_are_asked_back() -> None:
    pressure = link(
        "pressure",
        ("vital", "name", "Pressure A", 0.7, "token", 10),
        ("vital", "name", "Pressure B", 0.7, "token", 9),
    )
    choice = choose_in(pressure, "vital", "name", "en")
    assert choice.concept is None
    assert choice.options == ("Pressure A", "Pressure B")


def test_a_drug_that_is_named_exactly_and_never_given_is_not_replaced() -> None:
    dextrose = link(
        "dextrose 50%",
        ("input", "name", "Dextrose 50%", 1.0, "exact", 0),
        ("input", "name", "Dextrose 5%", 0.96, "label", 1270),
    )
    choice = choose_in(dextrose, "input", "name", "en")
    assert values(choice) == ("Dextrose 50%",)
    assert "Dextrose 5%" in (choice.assumption or "")


def test_a_bare_ingredient_stands_for_the_forms_that_the_record_has() -> None:
    fentanyl = link(
        "fentanyl",
        ("input", "name", "Fentanyl", 1.0, "exact", 0),
        ("input", "name", "Fentanyl (Concentrate)", 0.99, "name", 263),
    )
    assert values(choose_in(fentanyl, "input", "name", "en")) == ("Fentanyl (Concentrate)",)


def test_the_name_in_the_other_language_is_as_exact() -> None:
    named = Candidate("drug", "name", "Aspirin", 0.96, "translation", 61, is_name=True)
    covered = Candidate("drug", "name", "Aspirin EC", 0.957, "translation", 31)
    choice = choose_in(Link(0, 4, "阿司匹林", (named, covered)), "drug", "name", "zh")
    assert values(choice) == ("Aspirin",)
    assert "Aspirin EC" in (choice.assumption or "")


def test_a_word_that_is_a_part_of_different_drugs_is_asked_back() -> None:
    sulfate = link(
        "sulfate",
        ("input", "name", "Magnesium Sulfate", 0.7, "token", 94),
        ("input", "name", "Morphine Sulfate", 0.7, "token", 8),
    )
    choice = choose_in(sulfate, "input", "name", "en")
    assert choice.concept is None
    assert choice.options == ("Magnesium Sulfate", "Morphine Sulfate")
