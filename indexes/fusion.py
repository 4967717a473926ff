"""Merges ranked lists by reciprocal-rank fusion.

G. V. Cormack, C. L. A. Clarke, S. Büttcher: Reciprocal rank fusion outperforms Condorcet and individual
rank learning methods. SIGIR 2009, 758-759. Their constant 60 is kept.
"""

from collections.abc import Sequence

K = 60


def fuse(rankings: Sequence[Sequence[int]]) -> list[tuple[int, float]]:
    """Items by the sum of ``1 / (60 + rank)`` over the rankings that hold them.

    Args:
        rankings: lists of item ids, best first.

    Returns:
        (item, score), best first; equal scores by item, so that the order is stable.
    """
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (K + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
