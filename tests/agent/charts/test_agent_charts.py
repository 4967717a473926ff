"""A chart on the whole way of a question: drawn, cited, said, saved, shown, kept in a conversation."""

from pathlib import Path

import pytest

from agent import ClinicalAgent
from agent.answer import Answer
from agent.cli.chart import save_chart
from agent.events import AnswerReady
from agent.ui.render import TurnView, conversation

WANG, SPECIMEN = 1, 4


def values(answer: Answer) -> list[dict]:
    assert answer.chart is not None, answer.text
    return answer.chart["spec"]["data"]["values"]


@pytest.mark.parametrize("question", ["plot her creatinine this admission", "画出她本次住院的肌酐曲线"])
def test_a_value_is_drawn_with_the_rows_behind_each_point(agent: ClinicalAgent, question: str) -> None:
    answer = agent.ask(question, patient=WANG)
    assert answer.status == "answered"
    assert answer.chart is not None
    assert answer.chart["mark"] == "line"
    assert [(row["value"], row["row_ids"]) for row in values(answer)] == [(1.2, [2]), (2.8, [3]), (1.9, [4])]
    assert "mg/dL" in answer.chart["spec"]["encoding"]["y"]["title"]
    assert "make_chart" in [step.tool for step in answer.steps]


def test_a_cohort_is_drawn_by_two_things_and_the_table_says_the_same(agent: ClinicalAgent) -> None:
    answer = agent.ask("stacked bar chart of admissions per year by gender")
    assert answer.chart is not None
    assert answer.chart["mark"] == "stacked_bar"
    assert answer.result is not None
    assert answer.result.rows == (("2024", "f", 2), ("2025", "f", 3), ("2025", "m", 1))
    assert [row["row_ids"] for row in values(answer)] == [[1, 6], [4, 5, 2], [3]]
    assert "2025, female: 3." in answer.text


def test_a_long_list_of_single_values_is_said_in_one_sentence(agent: ClinicalAgent) -> None:
    answer = agent.ask("histogram of ages")
    assert answer.chart is not None
    assert sorted(row["age"] for row in values(answer)) == [34, 66, 67, 85]


def test_a_mark_that_does_not_fit_is_among_the_assumptions(agent: ClinicalAgent) -> None:
    answer = agent.ask("pie chart of her creatinine", patient=WANG)
    assert answer.chart is not None
    assert answer.chart["mark"] == "bar"
    assert any("is drawn instead" in assumption for assumption in answer.assumptions)


def test_what_is_not_recorded_is_no_chart_and_no_note(agent: ClinicalAgent) -> None:
    answer = agent.ask("plot creatinine", patient=SPECIMEN)
    assert (answer.status, answer.reason, answer.chart) == ("refused", "not_documented", None)


def test_a_course_is_drawn_beside_its_sentences_unless_no_chart_is_wanted(agent: ClinicalAgent) -> None:
    drawn = agent.ask("Show the trend of creatinine", patient=WANG)
    assert drawn.chart is not None and drawn.chart["mark"] == "line"
    assert agent.ask("Show the trend of creatinine, no chart please", patient=WANG).chart is None


def test_a_question_without_chart_words_for_a_single_value_has_no_chart(agent: ClinicalAgent) -> None:
    assert agent.ask("What is the latest creatinine?", patient=WANG).chart is None


def test_the_last_result_is_drawn_again_in_another_way(agent: ClinicalAgent) -> None:
    agent.ask("plot admissions by insurance", conversation="charts")
    again = agent.ask("as a pie chart", conversation="charts")
    assert again.chart is not None
    assert again.chart["mark"] == "arc"


def test_the_page_shows_a_picture_that_says_what_it_shows(agent: ClinicalAgent) -> None:
    answer = agent.ask("plot her creatinine", patient=WANG)
    page = conversation([TurnView("q", "en").after(AnswerReady(answer))], "en")
    assert page.count('src="data:image/svg+xml;base64,') == 2
    assert 'alt="Line chart: Creatinine over time. 4 points' in page
    assert "http" not in page


def test_a_chart_is_saved_in_the_form_of_its_name(
    agent: ClinicalAgent, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = agent.ask("plot her creatinine", patient=WANG)
    for form, beginning in (("svg", b"<svg"), ("png", b"\x89PNG"), ("html", b"<!doctype"), ("json", b"{")):
        save_chart(answer, tmp_path / f"chart.{form}")
        assert (tmp_path / f"chart.{form}").read_bytes().startswith(beginning)
    save_chart(agent.ask("latest creatinine?", patient=WANG), tmp_path / "none.svg")
    assert not (tmp_path / "none.svg").exists()
    assert "no chart" in capsys.readouterr().err
