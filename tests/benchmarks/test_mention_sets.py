"""The sets that mentions are measured on: what they hold, and figures that must not be lost."""

import json
from pathlib import Path

import pytest

from benchmarks.mention_corpora import bc5cdr, ncbi, negex
from knowledge.mentions import MentionFinder, NameTable

ZH = Path(__file__).parents[2] / "benchmarks" / "questions" / "assertion_zh.jsonl"


@pytest.fixture(scope="module")
def finder() -> MentionFinder:
    return MentionFinder.load(NameTable([]))


def rows() -> list[dict]:
    return [json.loads(line) for line in ZH.read_text(encoding="utf-8").splitlines()]


def test_the_chinese_set_is_whole():
    assert len({row["text"] for row in rows()}) >= 320
    assert len({row["id"] for row in rows()}) == len(rows())
    assert all(row["target"] in row["text"] for row in rows())
    halves = {half: {row["text"] for row in rows() if row["half"] == half} for half in ("tune", "held")}
    assert not halves["tune"] & halves["held"]
    assert abs(len(halves["tune"]) - len(halves["held"])) <= 1
    kinds = ("present", "negated", "possible", "historical", "family", "hypothetical", "conditional")
    for half in halves:
        assert {row["assertion"] for row in rows() if row["half"] == half} == set(kinds)


@pytest.mark.parametrize(("half", "least"), [("tune", 0.98), ("held", 0.95)])
def test_chinese_sentences_are_judged_rightly(finder, half, least):
    chosen = [row for row in rows() if row["half"] == half]
    right = sum(
        finder.find(row["text"], targets=[row["target"]])[0].assertion == row["assertion"] for row in chosen
    )
    assert right / len(chosen) >= least


@pytest.mark.shared_data
def test_english_negation_is_judged_rightly(finder, shared_data):
    right = hits = guesses = gold = total = 0
    for one in negex(shared_data / "negex" / "annotations-dev.tsv"):
        found = finder.find(one.text, "en", [one.target])
        meant = next((m for m in found if m.text.isupper()), found[0] if found else None)
        negated = meant is not None and meant.assertion == "negated"
        total += 1
        right += negated == one.negated
        hits += negated and one.negated
        guesses += negated
        gold += one.negated
    assert right / total >= 0.985
    assert 2 * hits / (guesses + gold) >= 0.965


@pytest.mark.shared_data
def test_annotations_stand_where_the_readers_say(shared_data):
    passage = next(iter(ncbi(shared_data / "ncbi-disease" / "NCBIdevelopset_corpus.txt")))
    gold = passage.gold[0]
    assert passage.text[gold.start : gold.end] == "enzyme deficiency"
    assert gold.codes == (("mesh", "D008661"),)
    sentence = next(iter(bc5cdr(shared_data / "bc5cdr" / "devel.tsv", "Chemical")))
    gold = sentence.gold[0]
    assert sentence.text[gold.start : gold.end] == "22-oxacalcitriol"
