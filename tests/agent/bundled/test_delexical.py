"""What the network reads of a question holds no name, number or date of a record."""

import itertools

import pytest

from agent.answer import Language
from agent.bundled.delexical import delexicalise
from agent.planning.chart_words import find_chart
from agent.planning.linker import Linker
from agent.scope import Scope
from tests.hospital import NOW

LABS = ("creatinine", "potassium")
WHO = ("patient 1", "MRN M0003", "John Sample")
WHEN = ("since 2024-03-04", "on 2025-02-26", "in 2024")


def read(linker: Linker, question: str, language: Language) -> str:
    linked = linker.link(question, language, Scope(now=NOW))
    chart = find_chart(question, language)
    return delexicalise(question, linked, has_patient=bool(linked.patients), chart=chart)


@pytest.mark.parametrize(("lab", "who", "when"), [*itertools.product(LABS, WHO, WHEN)])
def test_no_value_patient_or_date_is_left(linker: Linker, lab: str, who: str, when: str) -> None:
    text = read(linker, f"What was the last {lab} of {who} {when}?", "en")
    assert text == read(linker, "What was the last potassium of patient 2 since 2024-01-01?", "en")
    assert not any(character.isdigit() for character in text.replace("v1", "").replace("t1", ""))


@pytest.mark.parametrize(("said", "who"), [*itertools.product(("肌酐", "血钾"), ("患者1", "患者2", "王芳"))])
def test_no_value_or_patient_is_left_in_chinese(linker: Linker, said: str, who: str) -> None:
    text = read(linker, f"{who}，2024年3月4日以来最近一次{said}是多少？", "zh")
    assert said not in text and who not in text and "2024" not in text
    assert "<v1>" in text and "<p>" in text and "<t1>" in text


@pytest.mark.parametrize("written", ["> 5.5 mEq/L", "above 5.5 mEq/L", "≥5.5 mEq/L"])
def test_a_number_is_left_out_and_its_comparison_stays(linker: Linker, written: str) -> None:
    text = read(linker, f"when was the potassium of patient 1 {written}", "en")
    assert "5.5" not in text and "5" not in text
    assert "above <n1>" in text or "at least <n1>" in text


def test_a_placeholder_that_somebody_types_is_none(linker: Linker) -> None:
    text = read(linker, "what is <v1> of patient 1", "en")
    assert "<v1>" not in text


def test_words_for_a_chart_are_one_placeholder(linker: Linker) -> None:
    assert "<chart>" in read(linker, "plot the creatinine of patient 1", "en")


def test_the_first_word_says_whether_a_patient_is_meant(linker: Linker) -> None:
    assert read(linker, "last creatinine of patient 1", "en").startswith("<one> ")
    assert read(linker, "how many patients got furosemide", "en").startswith("<many> ")
