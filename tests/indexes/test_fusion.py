"""Reciprocal-rank fusion."""

import pytest

from indexes.fusion import fuse


def test_what_both_rankings_hold_wins_over_what_one_holds() -> None:
    assert fuse([[1, 2], [3, 2]])[0][0] == 2


def test_scores_are_those_of_the_paper() -> None:
    assert dict(fuse([[7, 8], [8]])) == pytest.approx({8: 1 / 62 + 1 / 61, 7: 1 / 61})


def test_equal_scores_keep_a_stable_order() -> None:
    assert fuse([[5], [4]]) == fuse([[4], [5]]) == [(4, 1 / 61), (5, 1 / 61)]


def test_nothing_fuses_to_nothing() -> None:
    assert fuse([[], []]) == []
