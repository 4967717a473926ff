"""The patients that a question names: by number, hospital number or name, or as "she", "该患者"."""

import re
from collections import defaultdict
from collections.abc import Iterable

from agent.planning.link import PatientLink
from agent.planning.times import half_width
from agent.scope import Scope
from knowledge.store.store import RecordStore

_LABELLED = re.compile(
    r"(?:\b(?:patient|pt|subject|mrn|case|record)(?:\s+(?:no\.?|id|number|nr\.?))?\s*[#:]?\s*|"
    r"(?:患者|病人|病历号|住院号|病案号|患者编号|编号)(?:编号|号|id)?\s*[为是:#]?\s*)(?P<id>[a-z]{0,8}[-_]?\d+)(?![a-z\d])(?!\s*(?:天|日|年|岁|次|个|周|月|小时))"
)
_CODE = re.compile(r"(?<![a-z\d.])(?P<id>[a-z]{0,8}[-_]?\d+)(?![a-z\d]|\.\d)")
_TITLED = re.compile(
    r"\b(?:mr|mrs|ms|miss|dr|of|for|patient|pt|in|about)\.?\s+(?P<name>[a-z][a-z-]*[a-z])(?:'s)?\b|"
    r"(?<![\w-])(?P<owner>[a-z][a-z-]*[a-z])'s\b"
)
_OPEN = re.compile(
    r"\b(?:she|he|her|his|him|hers|the patient(?:'s)?|this patient(?:'s)?|my patient(?:'s)?|the pt)\b(?!s)|"
    r"该患者|该病人|这位患者|这位病人|这个患者|这个病人|此患者|本患者|她|他|患者|病人"
)
_MANY = re.compile(
    r"多少|几[名个位]|哪些|哪位|所有|全部|全体|全院|人数|患者数|病人数|[名位]患者|每[个位名]|患者中|平均|谁|名单|群体|的患者|的病人|患者总|病人总|"
    r"\b(?:patients|people|who|everyone)\b"
)
_LONGEST_NAME = 5  # words
_LONGEST_HAN_NAME = 8
_ID_DIGITS = 5  # a bare number this long that has the length of the store's numbers is meant as one


class PatientNames:
    """Whom the store knows, by everything that names them."""

    def __init__(self, ids: Iterable[int], mrns: dict[str, int], names: dict[str, list[int]]) -> None:
        self._ids = frozenset(ids)
        self._mrns = {_bare(mrn): subject for mrn, subject in mrns.items()}
        self._names = names
        self._surnames: dict[str, list[int]] = defaultdict(list)
        self._turned: dict[str, list[int]] = defaultdict(list)
        for name, subjects in names.items():
            last, comma, first = name.partition(",")
            if comma:  # "Okafor, Ada" is also asked for as "Ada Okafor"
                self._surnames[last.strip()] += subjects
                self._turned[f"{first.strip()} {last.strip()}"] += subjects
            elif "·" in name:
                self._turned[name.rsplit("·", 1)[1]] += subjects
            elif " " in name:
                self._surnames[name.rsplit(" ", 1)[1]] += subjects
        self._shapes = {_shape(mrn) for mrn in mrns}
        self._lengths = {len(str(subject_id)) for subject_id in self._ids}

    @classmethod
    def of(cls, store: RecordStore) -> "PatientNames":
        """All patients of a store."""
        mrns: dict[str, int] = {}
        names: dict[str, list[int]] = defaultdict(list)
        patients = store.patients()
        for patient in patients:
            if patient.mrn:
                mrns[half_width(patient.mrn)] = patient.subject_id
            if patient.name:
                names[half_width(patient.name)].append(patient.subject_id)
        return cls((patient.subject_id for patient in patients), mrns, dict(names))

    def find(
        self, question: str, scope: Scope, taken: Iterable[tuple[int, int]] = ()
    ) -> tuple[PatientLink, ...]:
        """The patients that the question names, in order; ``taken`` places are left alone."""
        text = half_width(question)
        places = list(taken)
        found: list[PatientLink] = []

        def add(start: int, end: int, subject_id: int | None, how: str) -> None:
            if all(end <= first or start >= last for first, last in places):
                places.append((start, end))
                kind = (
                    "mrn" if how == "mrn" else "id" if how == "id" else "name" if how == "name" else "scope"
                )
                found.append(PatientLink(start, end, question[start:end], subject_id, kind))

        for match in _LABELLED.finditer(text):
            code = match["id"]
            if _bare(code) in self._mrns:
                add(*match.span(), self._mrns[_bare(code)], "mrn")
            elif code.isdigit():
                add(*match.span(), int(code) if int(code) in self._ids else None, "id")
            else:
                add(*match.span(), None, "mrn")
        for match in _CODE.finditer(text):
            code = match["id"]
            if _bare(code) in self._mrns:
                add(*match.span(), self._mrns[_bare(code)], "mrn")
            elif code.isdigit() and len(code) >= _ID_DIGITS and len(code) in self._lengths:
                add(*match.span(), int(code) if int(code) in self._ids else None, "id")
            elif not code.isdigit() and len(code) >= _ID_DIGITS and _shape(code) in self._shapes:
                add(*match.span(), None, "mrn")  # looks like a number of this hospital, and is nobody's
        for start, end, subjects in self._named(text):
            for subject_id in subjects[:2]:  # two of one name are two patients: the planner asks which
                found_before = len(found)
                add(start, end, subject_id, "name")
                if len(found) == found_before and found and found[-1].start == start:
                    found.append(PatientLink(start, end, question[start:end], subject_id, "name"))
        if scope.patient is not None and not found and not _MANY.search(text):
            for match in _OPEN.finditer(text):
                add(*match.span(), scope.patient, "scope")
        return tuple(sorted(found, key=lambda link: link.start))

    def _named(self, text: str) -> Iterable[tuple[int, int, list[int]]]:
        if not self._names:
            return
        words = list(re.finditer(r"[^\W\d_][\w'-]*", text))
        for size in range(_LONGEST_NAME, 1, -1):
            for first in range(len(words) - size + 1):
                start, end = words[first].start(), words[first + size - 1].end()
                found = self._names.get(text[start:end]) or self._turned.get(text[start:end])
                if found:
                    yield start, end, found
        for match in _TITLED.finditer(text):
            found = self._surnames.get(match["name"] or match["owner"])
            if found:
                yield *match.span(), found
        for run in re.finditer(r"[\u3400-\u9fff·]+", text):
            for size in range(_LONGEST_HAN_NAME, 1, -1):
                for start in range(run.start(), run.end() - size + 1):
                    part = text[start : start + size]
                    subjects = self._names.get(part) or self._turned.get(part)
                    if subjects:
                        yield start, start + size, subjects


def _bare(code: str) -> str:
    """A hospital number without the signs that people leave out: ``DEMO-000006`` is ``demo000006``."""
    return re.sub(r"[-_\s]", "", code)


def _shape(code: str) -> tuple[str, int]:
    """The letters and the number of digits of a hospital number."""
    bare = _bare(code)
    digits = re.sub(r"\D", "", bare)
    return bare[: len(bare) - len(digits)], len(digits)
