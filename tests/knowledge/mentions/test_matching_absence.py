"""无 before a name denies it, also where 无 and its first character are a name of their own."""

import pytest

from knowledge.mentions import MentionFinder, NameTable
from knowledge.terminology import Terminology


@pytest.fixture(scope="module")
def finder() -> MentionFinder:
    return MentionFinder.load(NameTable.of_terminology(Terminology.load()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("无尿频、尿急、尿痛", [("尿频", "negated"), ("尿急", "negated"), ("尿痛", "negated")]),
        ("无尿毒症症状。", [("尿毒症", "negated")]),
        ("患者无尿2天。", [("无尿", "present")]),
    ],
)
def test_the_longer_reading_wins(finder: MentionFinder, text: str, expected: list[tuple[str, str]]) -> None:
    assert [(mention.text, mention.assertion) for mention in finder.find(text)] == expected
