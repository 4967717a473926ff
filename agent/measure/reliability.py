"""The figures of a run: reliability score, coverage against error rate, calibration error, latency.

The reliability score RS(c) of EHRSQL 2024 (source: Lee et al., Overview of the EHRSQL 2024 shared task, ClinicalNLP
2024) is the mean over all questions, times 100, of +1 for a right answer or a right abstention, 0 for abstaining on
what can be answered, and −c for a wrong answer or for answering what cannot be answered.

A run without risk gives every answer that the planner has. What it would be at risk c follows from it: an answer is
withheld where its confidence is below c / (1 + c), as ``chartroom batch --risk c`` does.
"""

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from agent.measure.gold import Judged

BINS = 10


@dataclass(frozen=True, slots=True)
class Point:
    """The planner when it answers from a confidence on.

    Attributes:
        threshold: the confidence.
        coverage: share of all questions that are answered.
        error_rate: share of the answers that are wrong; what cannot be answered is wrong when it is answered.
        good, bad: right answers and right abstentions; wrong answers, of the unanswerable too.
        n: questions in all.
    """

    threshold: float
    coverage: float
    error_rate: float
    good: int
    bad: int
    n: int

    def score(self, risk: float) -> float:
        """RS(risk)."""
        return 100 * (self.good - risk * self.bad) / self.n if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of similar confidence: how many, how sure they were, how many were right."""

    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds a question: the median, the 95th percentile, the longest."""

    median: float
    p95: float
    longest: float


def threshold_of(risk: float) -> float:
    """The confidence from which on an answer pays at a risk: there p − (1 − p)·risk is not negative."""
    return risk / (1 + risk)


def at(judged: Sequence[Judged], threshold: float) -> Point:
    """The planner that withholds answers less sure than a threshold."""
    kept = [_withheld(one) if one.answered and one.confidence < threshold else one for one in judged]
    verdicts = Counter(one.verdict for one in kept)
    good = verdicts["right"] + verdicts["abstained rightly"]
    bad = verdicts["wrong"] + verdicts["answered the unanswerable"]
    answered, n = verdicts["right"] + bad, len(kept)
    return Point(threshold, answered / n if n else 0.0, bad / answered if answered else 0.0, good, bad, n)


def curve(judged: Sequence[Judged]) -> list[Point]:
    """Coverage against error rate: one point for each confidence that occurs, the surest first."""
    levels = sorted({one.confidence for one in judged if one.answered}, reverse=True)
    return [at(judged, level) for level in levels]


def spread(points: Sequence[Point], step: float = 0.05) -> list[Point]:
    """Points of a curve for display: the first at or beyond each step of coverage, and the last."""
    shown: list[Point] = []
    for point in points:
        if not shown or point.coverage >= shown[-1].coverage + step:
            shown.append(point)
    return shown if not points or shown[-1] is points[-1] else [*shown, points[-1]]


def bins(judged: Iterable[Judged]) -> list[Bin]:
    """The answers in equal steps of confidence; steps without an answer are left out."""
    groups: dict[int, list[Judged]] = {}
    for one in judged:
        if one.answered:
            groups.setdefault(min(BINS - 1, int(one.confidence * BINS)), []).append(one)
    return [
        Bin(
            len(group),
            statistics.fmean(one.confidence for one in group),
            statistics.fmean(one.verdict == "right" for one in group),
        )
        for _, group in sorted(groups.items())
    ]


def calibration_error(groups: Sequence[Bin]) -> float | None:
    """Expected calibration error: how far confidence and share of right answers are apart, in the mean over answers.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
    """
    answers = sum(group.n for group in groups)
    if not answers:
        return None
    return sum(group.n * abs(group.confidence - group.accuracy) for group in groups) / answers


def latency(judged: Iterable[Judged]) -> Latency | None:
    """How long the questions took; ``None`` where no times are known."""
    times = sorted(one.ms for one in judged if one.ms is not None)
    if not times:
        return None
    p95 = statistics.quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
    return Latency(statistics.median(times), p95, times[-1])


def _withheld(one: Judged) -> Judged:
    right = one.verdict == "answered the unanswerable"
    verdict = "abstained rightly" if right else "abstained on answerable"
    return replace(one, verdict=verdict, fault=None, reason="low_confidence")
