"""A model's confidence is fitted to how often it was right, model by model."""

import json
import math
import random
from pathlib import Path

import pytest
from fake_server import FakeServer, serving
from hospital import small_hospital

from agent.answer import Model
from agent.cli import main
from agent.measure.gold import Judged
from agent.measure.reliability import bins, calibration_error
from agent.paths import home
from agent.planning.model_confidence import confidence, curve_of, fitted, keep_curve
from agent.planning.prompt_text import Confidence, prompt_text
from knowledge.errors import ConfigError

FILE, SERVED = Model(name="x", sha256="a" * 64), Model(name="y at 10.0.0.1", sha256=None)
BEFORE = prompt_text().confidence
TRUE = Confidence(obtained="", intercept=1.0, slope=8.0)


def run(curve: Confidence, n: int = 3000) -> list[Judged]:
    """Answers that are right as often as the true curve says, with the confidence that another one gives."""
    rng = random.Random(3)
    drawn = [-rng.expovariate(8) for _ in range(n)]
    return [
        Judged(str(i), "right" if rng.random() < confidence(TRUE, m) else "wrong", confidence(curve, m))
        for i, m in enumerate(drawn)
    ]


def test_the_fitted_curve_is_the_true_one_and_calibrates() -> None:
    judged = run(BEFORE)
    curve = fitted(judged, BEFORE)
    assert curve.intercept == pytest.approx(TRUE.intercept, abs=0.25)
    assert curve.slope == pytest.approx(TRUE.slope, rel=0.25)
    before, after = calibration_error(bins(judged)), calibration_error(bins(run(curve)))
    assert before is not None
    assert after is not None
    assert after < 0.03 < before
    assert "3000 answers" in curve.obtained


def test_probabilities_that_tell_nothing_give_every_answer_the_average() -> None:
    judged = [Judged(str(i), "right" if i % 4 else "wrong", 0.3 if i % 4 else 0.9) for i in range(40)]
    curve = fitted(judged, BEFORE)
    assert confidence(curve, -5.0) == confidence(curve, 0.0) == pytest.approx(0.75)


@pytest.mark.parametrize("wrong", [0, 4])
def test_too_few_wrong_answers_are_not_fitted_to(wrong: int) -> None:
    judged = [Judged(str(i), "wrong" if i < wrong else "right", 0.9) for i in range(100)]
    judged.append(Judged("refused", "abstained on answerable"))
    with pytest.raises(ConfigError, match="too few"):
        fitted(judged, BEFORE)


def test_a_curve_is_kept_for_its_model_alone() -> None:
    keep_curve(FILE, TRUE)
    assert curve_of(FILE) == TRUE
    assert curve_of(SERVED) == BEFORE
    keep_curve(SERVED, TRUE)
    assert curve_of(SERVED) == curve_of(FILE) == TRUE
    (home() / "calibration.json").write_text("{")
    with pytest.raises(ConfigError, match="calibrate again"):
        curve_of(FILE)


def test_confidence_rises_with_probability_and_is_nothing_without() -> None:
    found = [confidence(BEFORE, m) for m in (-1e9, -1.0, -0.1, 0.0)]
    assert found == sorted(found)
    assert 0 < found[0] < found[-1] < 1
    assert confidence(BEFORE, None) == 0


def test_one_command_measures_and_calibrates_a_served_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "small.sqlite"
    small_hospital(store)
    assert main(["index", "--store", str(store), "--keywords-only"]) == 0
    count = '{"action":"query_records","who":"all","domain":"patient","ask":{"ask":"count"}}'
    lines = [{"id": str(i), "question": f"How many patients are there, please? {i}"} for i in range(12)]
    questions, answers = tmp_path / "q.jsonl", tmp_path / "a.json"
    questions.write_text("".join(json.dumps(line) + "\n" for line in lines))
    answers.write_text(json.dumps({str(i): [[4 if i % 2 else 5]] for i in range(12)}))
    arguments = ["measure", str(questions), "--answers", str(answers), "--store", str(store), "--json"]
    assert main([*arguments, "--calibrate"]) == 1
    assert "calibrated already" in capsys.readouterr().err
    with serving(FakeServer(answers=[count], logprob=-0.01)) as fake:
        assert main(["models", "use", "--server", fake.url, "--model", "ward-8b"]) == 0
        capsys.readouterr()
        assert main([*arguments, "--calibrate"]) == 0
        said = capsys.readouterr()
        first = json.loads(said.out)
        assert main(arguments) == 0
        second = json.loads(capsys.readouterr().out)
    assert "12 answers, 6 of them wrong" in said.err
    assert first["planner"].startswith("ward-8b at 127.0.0.1")
    assert first["verdicts"] == {"right": 6, "wrong": 6}
    assert first["expected_calibration_error"] > 0.4
    assert second["expected_calibration_error"] == pytest.approx(0, abs=0.01)
    assert math.isclose(second["calibration"][0]["accuracy"], 0.5)
