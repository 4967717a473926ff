"""Splitting: exact offsets, clinical shorthand, headings in both languages."""

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexes.chunking import chunks
from knowledge.mentions.sentences import LONGEST_SENTENCE, sections, sentences

CLINICAL = st.text(
    alphabet=st.sampled_from(list("aB1.。；:： \n\r\t#-*'\"!?…【】[]()\x00\x1c\u2028肺炎İ😀"))
    | st.characters(codec="utf-8", exclude_categories=["Cs"]),
    max_size=400,
)


def said(text: str) -> list[str]:
    return [text[s.start : s.end] for s in sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Seen by Dr. Smith today.",
        "Metoprolol 12.5 mg p.o. b.i.d. was started.",
        "Temp. 38.2 at noon.",
        "Cr. 1.9 from 1.2.",
        "Viral vs. bacterial.",
        "给予头孢曲松2.0g q.d.静滴。",
    ],
)
def test_shorthand_and_decimals_do_not_split_a_sentence(text: str) -> None:
    assert said(text) == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("No fever. no cough.", ["No fever.", "no cough."]),
        ("Lasix 40 mg q.d. Follow up soon.", ["Lasix 40 mg q.d.", "Follow up soon."]),
        ("Drain removed.Wound dry.", ["Drain removed.", "Wound dry."]),
        ("1. Sepsis. Continue. 2. AKI.", ["1. Sepsis.", "Continue.", "2. AKI."]),
        ("咳嗽3天。无发热；咳痰！疼吗？", ["咳嗽3天。", "无发热；", "咳痰！", "疼吗？"]),
        ("- no CP\n- no SOB\nHR 90", ["- no CP", "- no SOB", "HR 90"]),
        ("他说“不疼。”随后离开。", ["他说“不疼。”", "随后离开。"]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert said(text) == expected


def test_a_line_cut_off_at_a_fixed_width_goes_on_in_the_next() -> None:
    text = (
        "The patient was admitted with progressive shortness of\nbreath over two weeks.\nno fever\nno cough"
    )
    assert said(text) == [text[:77], "no fever", "no cough"]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        (
            "HISTORY OF PRESENT ILLNESS:\nFell.\nAssessment/Plan: Rest.",
            ["HISTORY OF PRESENT ILLNESS", "Assessment/Plan"],
        ),
        ("Seen.\n# Plan\nHome.\n## Follow-up ##\nGP.", ["", "Plan", "Follow-up"]),
        ("现病史：发热。\n初步诊断\n1、肺炎\n【处理】补液", ["现病史", "初步诊断", "处理"]),
        ("**Impression:** Stable.", ["Impression"]),
        ("1. Allergies: none\n2. Medications\naspirin", ["Allergies", "Medications"]),
        ("HR: 90\nTold the family: no change", [""]),
    ],
)
def test_headings_open_sections(text: str, titles: list[str]) -> None:
    assert [s.title for s in sections(text)] == titles


@settings(max_examples=300, deadline=None)
@given(CLINICAL)
def test_sentences_are_disjoint_ordered_and_leave_out_only_blanks(text: str) -> None:
    spans = sentences(text)
    position = 0
    for span in spans:
        assert position <= span.start < span.end <= len(text)
        assert not text[position : span.start].strip()
        assert text[span.start : span.end].strip() == text[span.start : span.end]
        position = span.end
    assert not text[position:].strip()


@settings(max_examples=300, deadline=None)
@given(CLINICAL, st.integers(min_value=5, max_value=200))
def test_chunks_are_exact_slices_that_cover_all_sentences_in_order(text: str, weight: int) -> None:
    pieces = chunks("7", text, weight=weight)
    position = 0
    for piece in pieces:
        assert piece.text == text[piece.start : piece.end]
        assert position <= piece.start < piece.end
        assert not text[position : piece.start].strip()
        position = piece.end
    assert not text[position:].strip()


@settings(max_examples=200, deadline=None)
@given(CLINICAL)
def test_sections_leave_no_gap(text: str) -> None:
    found = sections(text)
    assert found[0].start == 0
    assert found[-1].end == len(text)
    assert all(a.end == b.start for a, b in pairwise(found))


def test_a_chunk_stays_within_its_section() -> None:
    text = "HPI: Chest pain.\nPlan: Aspirin."
    assert [(p.section, p.text) for p in chunks("1", text)] == [
        ("HPI", "HPI: Chest pain."),
        ("Plan", "Plan: Aspirin."),
    ]


def test_a_heading_with_nothing_under_it_joins_the_next_section() -> None:
    text = "# Assessment\n# Plan\nGo home."
    assert [(p.section, p.text) for p in chunks("1", text)] == [("Plan", text)]


def test_text_without_any_stop_is_cut_to_embeddable_pieces() -> None:
    assert max(s.end - s.start for s in sentences("word " * 2000)) <= LONGEST_SENTENCE
    assert max(s.end - s.start for s in sentences("肺" * 5000)) <= LONGEST_SENTENCE // 3


@pytest.mark.parametrize(
    "line",
    [
        "Seen by Dr. Smith. Metoprolol 12.5 mg p.o. b.i.d. was started.\n",
        "x. ",
        "(1",
        "患者咳嗽3天。",
        "A",
        "\x00",
    ],
)
def test_a_note_of_five_megabytes_takes_seconds(line: str) -> None:
    text = line * (5_000_000 // len(line.encode()))
    begin = time.process_time()
    assert chunks("1", text)
    assert time.process_time() - begin < 10
