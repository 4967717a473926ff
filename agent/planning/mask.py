"""A question with what was linked replaced by placeholders, so that it can be compared with the examples.

"what is her latest creatinine since admission?" and the example "what is the latest {measure}?" become
"what is <patient> latest <measure> <stay>" and "what is the latest <measure>".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice, product

from agent.answer import Language
from agent.planning.cues import note_types
from agent.planning.intent import KINDS, kind_of
from agent.planning.link import Link, Linked, TimeLink
from agent.planning.times import half_width, resolve_times

_VARIANTS = 6
_ANY_NOW = "2100-12-31 23:59:00"  # examples are masked, not answered: which now it is does not matter
_BELOW, _ABOVE = "\ue001", "\ue002"
_PRONOUN = re.compile(
    r"\b(?:she|he|her|his|him|the patient(?:'s)?|this patient(?:'s)?|patient's|of the patient|of this patient)\b"
)
_HAN_PATIENT = re.compile(r"该患者|该病人|这位患者|这位病人|这个患者|这个病人|患者的|病人的|他的|她的|她|他")


@dataclass(frozen=True, slots=True)
class Masked:
    """One reading of a question: its text with placeholders, and the kind that each value link is read as."""

    text: str
    kinds: tuple[str | None, ...]


def mask_question(question: str, linked: Linked, language: Language) -> list[Masked]:
    """The readings of a question; several where a mention may be of several kinds."""
    choices = [_kinds(link) for link in linked.values]
    readings = []
    for kinds in islice(product(*choices), _VARIANTS):
        spans = [(t.start, t.end, _time_word(t)) for t in linked.times]
        spans += [(p.start, p.end, "<patient>" if p.how == "scope" else "<named>") for p in linked.patients]
        spans += [
            (link.start, link.end, f"<{kind}>")
            for link, kind in zip(linked.values, kinds, strict=True)
            if kind is not None
        ]
        spans += [(start, end, "<n>") for start, end, _, _ in linked.numbers]
        readings.append(Masked(_tidy(_replace(half_width(question), spans), language), kinds))
    return readings


def mask_example(example: str, language: Language) -> str:
    """An example question of the catalogue in the same form; its slots are in braces."""
    text = half_width(example)
    spans = [
        (match.start(), match.end(), "<n>" if match[1] in {"n", "number"} else f"<{match[1].rstrip('2')}>")
        for match in re.finditer(r"\{(\w+)\}", text)
    ]
    blanked = list(text)
    for start, end, _ in spans:
        blanked[start:end] = ["\ue000"] * (end - start)
    times = resolve_times("".join(blanked), language, _ANY_NOW)
    spans += [(time.start, time.end, _time_word(time)) for time in times]
    taken = [(start, end) for start, end, _ in spans]
    spans += [
        (start, end, "<note_type>")
        for start, end, _ in note_types(text)
        if all(end <= first or start >= last for first, last in taken)
    ]
    taken = [(start, end) for start, end, _ in spans]
    spans += [
        (match.start(), match.end(), "<n>")
        for match in re.finditer(r"(?<![a-z\d])\d+(?:\.\d+)?", text)
        if all(match.end() <= start or match.start() >= end for start, end in taken)
    ]
    return _tidy(_replace(text, spans), language)


def _kinds(link: Link) -> list[str | None]:
    kinds = list(dict.fromkeys(kind for c in link.candidates if (kind := kind_of(c)) in KINDS))
    if kinds and (link.candidates[0].count or link.candidates[0].domain == "note"):
        return [*kinds]
    return [*kinds, None]  # not in the record: the words may be meant as plain words, too


def _time_word(time: TimeLink) -> str:
    if time.encounter is None:
        return "<period>"
    return "<icu>" if time.encounter.kind == "icu_stay" else "<stay>"


def _replace(text: str, spans: Iterable[tuple[int, int, str]]) -> str:
    text = text.replace("<", _BELOW).replace(">", _ABOVE)  # from here on they only mark placeholders
    for start, end, word in sorted(spans, reverse=True):
        text = f"{text[:start]} {word} {text[end:]}"
    return text


def _tidy(text: str, language: Language) -> str:
    text = re.sub(r"(?<=\w)'s\b", "", text) if language == "en" else text
    text = _PRONOUN.sub(" <patient> ", text)
    text = _HAN_PATIENT.sub(" <patient> ", text)
    text = re.sub(f"{_BELOW}=?", " below ", re.sub(f"{_ABOVE}=?", " above ", text))
    text = re.sub(r"(?<=<named>)\s*的", " ", text)
    text = re.sub(r"[^\w<>\s+-]", " ", text)
    return re.sub(r"\s+", " ", text).strip()
