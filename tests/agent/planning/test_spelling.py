"""Misspelt words of names that have several."""

import pytest

from agent.planning.choose import choose_in
from agent.planning.linker import Linker
from agent.planning.spelling import Spelling, back
from agent.scope import Scope
from tests.hospital import NOW

SPELLING = Spelling(["Respiratory Rate", "Acute Kidney Failure", "Sodium", "Iodium"], ["heparin"])


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("the respratory rate", "the respiratory rate"),
        ("acute kidny failure", "acute kidney failure"),
        ("heprin", "heparin"),
        ("respiratory rate", "respiratory rate"),
        ("the patient", "the patient"),  # an ordinary word is no misspelt one
        ("kidy", "kidy"),  # too short to tell
        ("呼吸频率", "呼吸频率"),
    ],
)
def test_an_unknown_word_becomes_the_nearest_known_one(text: str, corrected: str) -> None:
    assert SPELLING.correct(text)[0] == corrected


def test_two_words_that_are_equally_near_leave_it_as_it_is() -> None:
    assert Spelling(["marrow", "barrow", "mallow"], []).correct("mavrow")[0] == "marrow"
    assert Spelling(["casting", "caswing"], []).correct("casring")[0] == "casring"


def test_places_lead_back_to_the_words_as_they_were_written() -> None:
    text = "max respratory rate and kidny"
    corrected, places = SPELLING.correct(text)
    start = corrected.index("respiratory rate")
    assert text[slice(*back(places, start, start + len("respiratory rate")))] == "respratory rate"
    start = corrected.index("kidney")
    assert text[slice(*back(places, start, start + len("kidney")))] == "kidny"


def test_a_misspelt_name_links_as_a_whole_and_it_is_said(linker: Linker) -> None:
    (link,) = linker.link("latest heart reate?", "en", Scope(now=NOW)).values
    choice = choose_in(link, "vital", "name", "en")
    assert link.text == "heart reate"
    assert choice.concept is not None
    assert choice.concept.values == ("Heart Rate",)
    assert "spelling" in (choice.assumption or "")
