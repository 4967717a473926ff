"""Abbreviations that a text defines."""

import pytest

from knowledge.mentions.shorthand import definitions


@pytest.mark.parametrize(
    ("text", "short", "long"),
    [
        ("Known atrial fibrillation (AF) today", "AF", "atrial fibrillation"),
        (
            "severe chronic obstructive pulmonary disease (COPD), stable",
            "COPD",
            "chronic obstructive pulmonary disease",
        ),
        ("AF (atrial fibrillation) was seen", "AF", "atrial fibrillation"),
        ("glucose-6-phosphate dehydrogenase (G6PD)", "G6PD", "glucose-6-phosphate dehydrogenase"),
        ("families with myotonic dystrophy (DM) were", "DM", "myotonic dystrophy"),
        ("atrial fibrillation （AF） 今日", "AF", "atrial fibrillation"),
    ],
)
def test_the_long_form_is_found(text, short, long):
    (found,) = definitions(text)
    assert (found.short, text[found.start : found.end]) == (short, long)


@pytest.mark.parametrize(
    "text",
    [
        "seen at night (see below)",
        "blood pressure (120/80)",
        "The knee was swollen. (MRI)",
        "no long form here (XYZ)",
        "(AF)",
        "()",
        "pain (severe) and swelling",
    ],
)
def test_other_brackets_define_nothing(text):
    assert list(definitions(text)) == []
