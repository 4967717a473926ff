"""All figures of a run, as one object and as text."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agent.measure.gold import Judged
from agent.measure.reliability import (
    Bin,
    Latency,
    Point,
    at,
    bins,
    calibration_error,
    curve,
    latency,
    spread,
    threshold_of,
)

RISKS = (0.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a run.

    Attributes:
        n: questions.
        scores: for each risk, the planner that answers from the confidence on at which answering pays.
        verdicts: how many questions were right, wrong, abstained on (at risk 0).
        faults: wrong answers by the way in which they differ.
        reasons: abstentions on what can be answered, by their reason.
        curve: from the surest answer alone to all answers.
        calibration: answers by confidence, with the expected calibration error of all.
        latency: milliseconds a question.
    """

    n: int
    scores: dict[float, Point]
    verdicts: Counter[str]
    faults: Counter[str]
    reasons: Counter[str]
    curve: list[Point]
    calibration: list[Bin]
    calibration_error: float | None
    latency: Latency | None

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "n": self.n,
            **{f"RS({risk:g})": round(point.score(risk), 2) for risk, point in self.scores.items()},
            "at_risk": {f"{risk:g}": asdict(point) for risk, point in self.scores.items()},
            "verdicts": dict(self.verdicts),
            "wrong_by_kind": dict(self.faults),
            "abstained_on_answerable_by_reason": dict(self.reasons),
            "expected_calibration_error": self.calibration_error,
            "calibration": [asdict(group) for group in self.calibration],
            "curve": [asdict(point) for point in self.curve],
            "latency_ms": None if self.latency is None else asdict(self.latency),
        }

    def as_text(self) -> str:
        """The figures for people; of the curve, a point each twentieth of coverage."""
        lines = [f"questions {self.n}"]
        for risk, point in self.scores.items():
            lines.append(
                f"RS({risk:g}) {point.score(risk):.2f}  answered from confidence {point.threshold:.3f} on: "
                f"{point.coverage:.1%}, of these wrong {point.error_rate:.2%} ({point.bad})"
            )
        lines += _counted("outcomes", self.verdicts)
        lines += _counted("wrong answers by kind", self.faults)
        lines += _counted("abstained on answerable, by reason", self.reasons)
        if self.calibration_error is not None:
            lines.append(f"expected calibration error {self.calibration_error:.4f}")
            lines += [
                f"  {group.n:>5} answers: confidence {group.confidence:.3f}, right {group.accuracy:.3f}"
                for group in self.calibration
            ]
        lines.append("coverage, error rate (answering from this confidence on)")
        lines += [
            f"  {point.coverage:>6.1%}  {point.error_rate:>6.2%}  ({point.threshold:.4f})"
            for point in spread(self.curve)
        ]
        if self.latency is not None:
            lines.append(
                f"latency: median {self.latency.median:.0f} ms, 95th percentile {self.latency.p95:.0f} ms, "
                f"longest {self.latency.longest:.0f} ms"
            )
        return "\n".join(lines)


def report(judged: Sequence[Judged], risks: Sequence[float] = RISKS) -> Report:
    """The figures of judged questions.

    Args:
        judged: of a run at risk 0; one at a higher risk lacks what it withheld.
        risks: costs of a wrong answer to score at.
    """
    groups = bins(judged)
    return Report(
        n=len(judged),
        scores={risk: at(judged, threshold_of(risk)) for risk in risks},
        verdicts=Counter(one.verdict for one in judged),
        faults=Counter(one.fault for one in judged if one.fault),
        reasons=Counter(one.reason or "" for one in judged if one.verdict == "abstained on answerable"),
        curve=curve(judged),
        calibration=groups,
        calibration_error=calibration_error(groups),
        latency=latency(judged),
    )


def _counted(title: str, counts: Counter[str]) -> list[str]:
    if not counts:
        return []
    return [title, *(f"  {n:>5} {name}" for name, n in counts.most_common())]
