"""Words that ask for a chart, told apart from the chart that is the patient's record."""

import pytest

from agent.language import language_of
from agent.planning.chart_words import find_chart


@pytest.mark.parametrize(
    ("question", "rest", "mark"),
    [
        ("plot her creatinine this admission", "her creatinine this admission", None),
        ("can you graph his sodium over the last 3 days?", "his sodium over the last 3 days?", None),
        ("readmissions by month as a bar chart", "readmissions by month", "bar"),
        ("top 5 drugs in a column graph", "top 5 drugs", "bar"),
        (
            "admissions per month stacked by gender, bar chart",
            "admissions per month by gender,",
            "stacked_bar",
        ),
        ("draw a line chart of her potassium", "her potassium", "line"),
        ("creatinine trend graph", "creatinine trend", "line"),
        ("I'd like to see a pie chart of gender", "gender", "arc"),
        ("share of insurance as a donut chart", "share of insurance", "arc"),
        ("show me a histogram of ages", "ages", "histogram"),
        ("boxplot of glucose by unit", "glucose by unit", "box"),
        ("scatter plot of her glucose values", "her glucose values", "point"),
        ("could you chart her vitals", "her vitals", None),
        ("monthly admissions chart", "monthly admissions", None),
        ("画出她的肌酐趋势图", "她的肌酐趋势", "line"),
        ("性别构成饼图", "性别构成", "arc"),
        ("30天再入院按月画柱状图", "30天再入院按月", "bar"),
        ("每月入院人数堆叠图，按性别", "每月入院人数 ，按性别", "stacked_bar"),
        ("年龄分布直方图", "年龄分布", "histogram"),
        ("各病区住院天数的箱线图", "各病区住院天数的", "box"),
        ("血糖散点图", "血糖", "point"),
        ("帮我画一下血钾", "血钾", None),
        ("把creatinine plot一下", "把creatinine 一下", None),
        ("血糖用bar chart显示", "血糖用 显示", "bar"),
    ],
)
def test_chart_words_are_found_and_leave_what_is_asked(question: str, rest: str, mark: str | None) -> None:
    found = find_chart(question, language_of(question))
    assert found is not None
    assert found.mark == mark
    blanked = found.blanked(question)
    assert len(blanked) == len(question)
    assert " ".join(blanked.split()) == rest


@pytest.mark.parametrize(
    "question",
    [
        "is penicillin noted in her chart?",
        "does the chart list diabetes?",
        "chart review please",
        "how many chart events does she have",
        "what is in patient 10006's chart",
        "show me the drug chart",
        "was a discharge plan charted?",
        "when was the last blood draw?",
        "draw blood cultures",
        "had she a coronary artery bypass graft?",
        "area under the curve of vancomycin",
        "central line placement",
        "trend of creatinine",
        "看一下她的心电图",
        "有没有自杀企图",
        "最近一次超声心动图是什么时候",
        "今天的护理计划",
        "影像图片在哪里",
    ],
)
def test_the_record_and_tests_of_that_name_are_no_charts(question: str) -> None:
    assert find_chart(question, language_of(question)) is None


@pytest.mark.parametrize("question", ["creatinine, no graph please", "不用画图，肌酐是多少"])
def test_a_declined_chart_is_not_drawn(question: str) -> None:
    assert find_chart(question, language_of(question)) is None


def test_full_width_letters_are_read_at_their_places() -> None:
    question = "ＰＬＯＴ creatinine"
    found = find_chart(question, "en")
    assert found is not None
    assert found.spans == ((0, 4),)
