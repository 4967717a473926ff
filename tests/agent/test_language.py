"""What can be taken as a question, and in which language it is answered."""

import pytest

from agent.language import MAX_CHARACTERS, clean, language_of
from knowledge.errors import QuestionError


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("what is her latest creatinine?", "en"),
        ("最近一次肌酐是多少", "zh"),
        ("K是多少", "zh"),
        ("Cr Hb WBC 多少", "zh"),
        ("creatinine 和 potassium 多少", "zh"),
        ("show me the 血钾 of this patient", "en"),
        ("K+ 5.5", "en"),
    ],
)
def test_grammar_decides_the_language_not_abbreviations(question: str, language: str) -> None:
    assert language_of(question) == language


@pytest.mark.parametrize("question", ["", "   ", "???", "\u200b\u200b", "。。。"])
def test_an_empty_question_is_refused_with_an_example(question: str) -> None:
    with pytest.raises(QuestionError, match="empty"):
        clean(question)


def test_a_question_of_50_000_characters_is_refused_and_says_how_long_is_allowed() -> None:
    with pytest.raises(QuestionError, match=f"{MAX_CHARACTERS:,}"):
        clean("potassium " * 5_000)
    assert clean("x" * MAX_CHARACTERS)


@pytest.mark.parametrize(
    "question",
    ["Какой последний креатинин?", "ค่าครีเอตินินล่าสุด", "ما هو الكرياتينين", "クレアチニンはいくつですか"],
)
def test_a_question_in_another_script_is_refused_in_both_languages(question: str) -> None:
    with pytest.raises(QuestionError, match=r"English.*中文"):
        clean(question)


@pytest.mark.parametrize(
    "question", ["dose of Doliprane à 500 mg?", "α-fetoprotein?", "is Björn on µg doses?", "肌酐 Cr 多少"]
)
def test_accents_and_greek_letters_are_no_other_language(question: str) -> None:
    assert clean(question) == question


def test_stray_control_characters_are_dropped_and_many_are_refused() -> None:
    assert clean("latest\x00 creati\u200bnine?\n") == "latest creatinine?"
    with pytest.raises(QuestionError, match="control characters"):
        clean("a\x00\x01\x02\x03\x04\x05b")
