"""Which names are found where, in which of their meanings, and when they were."""

import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.mentions import MentionFinder, Name, NameTable


def concepts(finder: MentionFinder, text: str) -> dict[str, str | None]:
    return {mention.text: mention.concept for mention in finder.find(text)}


@pytest.mark.parametrize(
    ("text", "name", "concept"),
    [
        ("FEVERS and more", "FEVERS", "finding:fever"),
        ("Severe anaemia", "anaemia", "disease:anemia"),
        ("Oesophageal-varices", "Oesophageal-varices", "disease:varices"),
        ("Type II diabetes mellitus", "Type II diabetes mellitus", "disease:type-2-diabetes"),
        ("He is hypertensive", "hypertensive", "disease:hypertension"),
        ("shortness\nof breath", "shortness\nof breath", "finding:dyspnea"),
        ("ＣＰ and more", "ＣＰ", "finding:chest-pain"),
        ("伴发热三天", "发热", "finding:fever"),
    ],
)
def test_spelling_number_width_and_case_do_not_hide_a_name(finder, text, name, concept):
    assert concepts(finder, text).get(name) == concept


def test_offsets_are_of_the_source(finder):
    text = "既往：Ｎｏ　ｆｅｖｅｒ，有咳嗽；shortness  of breath"
    for mention in finder.find(text):
        assert text[mention.start : mention.end] == mention.text


def test_an_abbreviation_in_capitals_is_no_ordinary_word(finder):
    assert concepts(finder, "He wears hearing aids.") == {}
    assert concepts(finder, "He has AIDS.") == {"AIDS": "disease:aids"}


def test_the_longest_name_wins_and_another_kind_may_stand_inside(finder):
    assert concepts(finder, "Staphylococcus aureus bacteremia") == {
        "Staphylococcus aureus bacteremia": "disease:sa-bacteremia",
        "Staphylococcus aureus": "organism:staphylococcus-aureus",
    }
    assert concepts(finder, "高血压") == {"高血压": "disease:hypertension"}


def test_a_name_grows_over_what_says_which_one(finder):
    assert concepts(finder, "X-linked hereditary hemochromatosis") == {
        "X-linked hereditary hemochromatosis": "disease:hemochromatosis"
    }


def test_conjunctions_share_a_head(finder):
    found = finder.find("breast and ovarian cancer")
    assert {(mention.text, mention.concept) for mention in found} == {
        ("breast and ovarian cancer", "disease:breast-cancer"),
        ("breast and ovarian cancer", "disease:ovarian-cancer"),
    }


def test_diseases_that_no_table_has_are_found_by_their_form(finder):
    found = {
        (mention.text, mention.type, mention.concept) for mention in finder.find("This is Norrie disease.")
    }
    assert found == {("Norrie disease", "disease", None)}


def test_an_abbreviation_means_what_the_text_says(finder):
    found = concepts(finder, "Mitral stenosis (MS) was seen. MS is severe on MRI, relapsing.")
    assert found["MS"] == "disease:mitral-stenosis"
    assert "CP" not in concepts(finder, "The care plan (CP) was given. The CP was read.")


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Echo shows MS with a gradient.", "disease:mitral-stenosis"),
        ("MS with new demyelinating lesions on MRI.", "disease:multiple-sclerosis"),
        ("MS 4 mg IV for pain.", "drug:morphine"),
        ("Known multiple sclerosis. MS is stable.", "disease:multiple-sclerosis"),
    ],
)
def test_context_tells_meanings_apart(finder, text, concept):
    assert concepts(finder, text)["MS"] == concept


def test_without_context_all_meanings_stay_open(finder):
    (mention,) = finder.find("Told of MS.")
    assert mention.concept is None
    assert set(mention.candidates) == {
        "disease:mitral-stenosis",
        "disease:multiple-sclerosis",
        "drug:morphine",
    }


def test_a_meaning_that_we_have_no_concept_for_is_no_mention(finder):
    assert finder.find("MS: alert and oriented") == []


def test_targets_are_judged_wherever_they_occur(finder):
    found = finder.find("No swelling of the left\n knee. Left knee hurts.", targets=["left knee", "absent"])
    assert [(mention.text, mention.assertion, mention.concept) for mention in found] == [
        ("left\n knee", "negated", None),
        ("Left knee", "present", None),
    ]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("Fever since yesterday.", "since yesterday"),
        ("Fever 3 days ago.", "3 days ago"),
        ("On March 5, 2021 fever was noted.", "2021-03-05"),
        ("2024年1月5日出现发热。", "2024-01-05"),
        ("3天前受凉后发热。", "3天前"),
        ("No cough last week, fever.", None),
        ("Fever.", None),
    ],
)
def test_times_are_those_of_the_clause(finder, text, time):
    assert [mention.time for mention in finder.find(text) if mention.concept == "finding:fever"] == [time]


def test_blank_and_odd_texts_have_no_mentions(finder):
    for text in ("", " \n", "……", "\x00", "((((", "1234567890 " * 50):
        assert finder.find(text, targets=["", " "]) == []


def test_many_names_are_held_small():
    syllables = ["ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve"]
    words = [one + two + three for one in syllables for two in syllables for three in syllables]
    names = [
        Name(
            f"{words[i % len(words)]} {words[i * 7 % len(words)]} {i}", f"disease:{i}", "disease", rank=i % 4
        )
        for i in range(10_000)
    ]
    tracemalloc.start()
    table = NameTable(names)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(table) >= 10_000
    assert held / 10_000 * 150_000 < 150e6


def test_long_notes_are_read_fast(finder):
    note = (
        "No fever, chills or cough. Mitral stenosis (MS) with chest pain for 3 days; MS is severe.\n" * 1_000
    )
    begun = time.process_time()
    assert len(finder.find(note)) > 4_000
    assert (time.process_time() - begun) / len(note) * 1e6 < 30  # 10 s a MB, with room for a busy machine


PIECES = st.sampled_from(
    [
        *"()（），。;:-/?\n\x00é",
        *(
            "no",
            "无",
            "fever",
            "发热",
            "MS",
            "mitral stenosis",
            "breast",
            "and",
            "ovarian cancer",
            "if",
            "not",
        ),
        *(
            "Family History:",
            "既往史：",
            "3 days ago",
            "renal",
            "disease",
            "Norrie",
            "type 2",
            "diabetes",
            "ＣＰ",
        ),
    ]
)


@settings(max_examples=150, deadline=None)
@given(pieces=st.lists(PIECES, max_size=40), between=st.sampled_from(["", " "]))
def test_any_text_gives_mentions_of_itself(finder, pieces, between):
    text = between.join(pieces)
    for mention in finder.find(text, targets=["fever", "("]):
        assert text[mention.start : mention.end] == mention.text != ""
        assert (mention.concept is None) or not mention.candidates
