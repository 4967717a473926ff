"""The figures of a run: what counts as right, what a threshold does, how scores follow from it."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.measure.gold import Gold, Judged, Verdict
from agent.measure.lines import judge_lines, of_half, read_ids, read_lines
from agent.measure.reliability import at, bins, calibration_error, curve, latency, spread, threshold_of
from agent.measure.report import report
from benchmarks.reliability import main
from knowledge.errors import ConfigError


def line(rows: Any = None, status: str = "answered", confidence: float = 0.9, **more: Any) -> dict[str, Any]:
    result = None if rows is None else {"columns": ["a"], "rows": rows, "truncated": False}
    return {"status": status, "reason": None, "result": result, "confidence": confidence, **more}


GOLD = Gold({"one": [["7.42"]], "many": [["b"], ["a"], ["a"]], "never": None, "none": []})


class TestJudging:
    @pytest.mark.parametrize(
        ("key", "rows", "verdict", "fault"),
        [
            ("one", [[7.42]], "right", None),
            ("one", [["7.4204"]], "right", None),
            ("one", [[7.421]], "wrong", "other values"),
            ("one", [[7.42, "pH"]], "wrong", "other columns"),
            ("one", [], "wrong", "empty"),
            ("one", None, "wrong", "no table"),
            ("one|zh1", [[7.42]], "right", None),
            ("many", [["a"], ["b"], ["a"]], "right", None),
            ("many", [["a"], ["b"]], "wrong", "rows missing"),
            ("many", [["a"], ["b"], ["a"], ["c"]], "wrong", "rows too many"),
            ("many", [["a"], ["c"], ["a"]], "wrong", "other values"),
            ("none", [], "right", None),
            ("none", None, "wrong", "no table"),
            ("never", [[1]], "answered the unanswerable", "cannot be answered"),
        ],
    )
    def test_an_answer_is_right_if_its_rows_are_the_gold(
        self, key: str, rows: Any, verdict: Verdict, fault: str | None
    ) -> None:
        judged = GOLD.judge(key, line(rows))
        assert (judged.verdict, judged.fault) == (verdict, fault)

    def test_only_the_first_hundred_rows_in_order_are_compared(self) -> None:
        rows = [[f"r{n:04}"] for n in range(150)]
        assert Gold({"q": rows[:100]}).judge("q", line(rows[::-1])).verdict == "right"

    @pytest.mark.parametrize("status", ["refused", "clarify"])
    def test_a_refusal_and_a_question_back_are_abstentions(self, status: str) -> None:
        assert GOLD.judge("never", line(status=status)).verdict == "abstained rightly"
        assert GOLD.judge("one", line(status=status)).verdict == "abstained on answerable"

    def test_a_question_that_was_not_asked_is_an_abstention_and_said_to_be_none_asked(self) -> None:
        [judged] = judge_lines({}, GOLD, ["one"])
        assert (judged.verdict, judged.reason) == ("abstained on answerable", "not asked")

    def test_a_question_without_gold_is_an_error_and_not_an_abstention(self) -> None:
        with pytest.raises(ConfigError, match="no gold answer for the question 'new'"):
            GOLD.judge("new", line([[1]]))

    def test_gold_is_read_as_published_and_as_plain_json(self, tmp_path: Path) -> None:
        path = tmp_path / "answer.json"
        path.write_text(json.dumps({"a": "[['7.42'], [None]]", "b": "null", "c": [[1]], "d": None}))
        gold = Gold.read(path)
        assert gold.judge("a", line([[None], [7.42]])).verdict == "right"
        assert gold.judge("c", line([[1.0]])).verdict == "right"
        assert {gold.judge(key, line(status="refused")).verdict for key in "bd"} == {"abstained rightly"}

    @pytest.mark.parametrize("content", ["[1]", '{"a": "os.getcwd()"}', '{"a": "[["}', '{"a": 3}', "x"])
    def test_what_is_no_gold_is_refused(self, tmp_path: Path, content: str) -> None:
        path = tmp_path / "answer.json"
        path.write_text(content)
        with pytest.raises(ConfigError, match="gold answers"):
            Gold.read(path)


def judged(*outcomes: tuple[Verdict, float]) -> list[Judged]:
    return [Judged(str(n), verdict, confidence) for n, (verdict, confidence) in enumerate(outcomes)]


RUN = judged(
    ("right", 0.99),
    ("right", 0.95),
    ("wrong", 0.6),
    ("answered the unanswerable", 0.5),
    ("right", 0.4),
    ("abstained on answerable", 0.3),
    ("abstained rightly", 0.9),
)


class TestScores:
    def test_the_score_counts_right_abstentions_and_charges_what_is_wrong(self) -> None:
        everything = at(RUN, 0.0)
        assert (everything.good, everything.bad, everything.n) == (4, 2, 7)
        assert everything.score(0) == pytest.approx(100 * 4 / 7)
        assert everything.score(10) == pytest.approx(100 * (4 - 20) / 7)
        assert (everything.coverage, everything.error_rate) == (5 / 7, 2 / 5)

    def test_a_threshold_withholds_wrong_answers_and_right_ones_and_earns_what_cannot_be_answered(
        self,
    ) -> None:
        sure = at(RUN, threshold_of(10))
        assert (sure.good, sure.bad) == (4, 0)
        assert sure.score(10) == pytest.approx(100 * 4 / 7)
        assert sure.error_rate == 0

    def test_an_answer_as_sure_as_the_threshold_is_given(self) -> None:
        assert at(judged(("right", threshold_of(1))), threshold_of(1)).coverage == 1

    def test_the_curve_goes_from_the_surest_answer_to_all(self) -> None:
        points = curve(RUN)
        assert [point.threshold for point in points] == [0.99, 0.95, 0.6, 0.5, 0.4]
        assert [point.coverage for point in points] == pytest.approx([1 / 7, 2 / 7, 3 / 7, 4 / 7, 5 / 7])
        assert [point.error_rate for point in points] == pytest.approx([0, 0, 1 / 3, 1 / 2, 2 / 5])
        assert spread(points, 0.3) == [points[0], points[3], points[4]]

    def test_answers_that_are_as_right_as_they_are_sure_have_no_calibration_error(self) -> None:
        fair = judged(
            ("right", 0.75), ("right", 0.75), ("right", 0.75), ("wrong", 0.75), ("abstained rightly", 0.1)
        )
        assert calibration_error(bins(fair)) == pytest.approx(0)
        boastful = judged(("right", 0.75), ("wrong", 0.75), ("wrong", 1.0), ("right", 1.0))
        assert calibration_error(bins(boastful)) == pytest.approx((2 * 0.25 + 2 * 0.5) / 4)
        assert calibration_error(bins(judged(("abstained rightly", 0.1)))) is None

    def test_latency_is_of_all_questions_with_a_time(self) -> None:
        found = latency([Judged("q", "right", ms=ms) for ms in (10, 20, 30, None)])
        assert found is not None
        assert (found.median, found.longest) == (20, 30)
        assert latency([Judged("q", "right")]) is None

    def test_a_run_without_questions_has_figures(self) -> None:
        assert "questions 0" in report([]).as_text()


class TestCommand:
    @pytest.fixture
    def files(self, tmp_path: Path) -> tuple[Path, Path]:
        out, answers = tmp_path / "out.jsonl", tmp_path / "answers.json"
        lines = [
            {"id": "1", **line([[1]], confidence=0.95, ms={"total": 5})},
            {"id": "1|zh1", **line([[2]], confidence=0.2)},
            {"id": "2", **line(status="refused", reason="not_in_schema")},
        ]
        out.write_text("".join(json.dumps(one) + "\n" for one in lines))
        answers.write_text(json.dumps({"1": [[1]], "2": None}))
        return out, answers

    def test_it_prints_all_figures(
        self, files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([*map(str, files), "--json", "--wrong", str(tmp_path / "wrong.tsv")]) == 0
        figures = json.loads(capsys.readouterr().out)
        assert (figures["n"], figures["RS(0)"], figures["RS(10)"]) == (3, 66.67, 66.67)
        assert figures["wrong_by_kind"] == {"other values": 1}
        assert len(figures["curve"]) == 2
        assert (tmp_path / "wrong.tsv").read_text() == "1|zh1\tother values\t0.2000\n"
        assert main([*map(str, files), "--risk", "1"]) == 0
        assert "RS(1) 66.67" in capsys.readouterr().out

    def test_it_scores_the_ids_or_the_half_it_is_given(
        self, files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ids = tmp_path / "ids.txt"
        ids.write_text("1\n2\n")
        assert main([*map(str, files), "--ids", str(ids), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["RS(0)"] == 100
        marked = tmp_path / "set.jsonl"
        marked.write_text('{"id": "1|zh1", "half": "held"}\n{"id": "1", "half": "tune"}\n')
        assert main([*map(str, files), "--set", str(marked), "--half", "held", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["RS(0)"] == 0

    def test_a_file_that_is_none_is_said_in_one_sentence(
        self, files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([str(tmp_path / "no.jsonl"), str(files[1])]) == 1
        assert "cannot be read" in capsys.readouterr().err

    def test_an_id_that_occurs_twice_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "out.jsonl"
        path.write_text('{"id": "1"}\n{"id": "1"}\n')
        with pytest.raises(ConfigError, match="occurs twice"):
            read_lines(path)
        with pytest.raises(ConfigError, match="marked"):
            of_half({"1": {}}, "tune")
        with pytest.raises(ConfigError, match="cannot be read"):
            read_ids(tmp_path / "none")
