"""Contradictions between notes and tables, planted on purpose, each with its place in the key.

Every kind changes finished notes (one place in a note at most) and drops the facts that are no longer true,
so that what is left of the facts still agrees with the tables.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import yaml

from knowledge.demo.chart import Chart
from knowledge.demo.ledger import Ledger, stamp
from knowledge.demo.pen import NO_ALLERGY, Fact, Source
from knowledge.demo.reference import load_reference, read_data
from knowledge.demo.scribe import DraftNote

_CLAUSE = re.compile(r"[\n，。；、,;]|\.(?=\s|$)|^- ")
_SIDES = {"left": "right", "right": "left", "左": "右", "右": "左"}
_SEXES = {"man": "woman", "woman": "man", "男": "女", "女": "男"}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One planted contradiction.

    ``note.text[start:end] == quote`` is what the note says; ``row_ids`` of ``table`` say otherwise (empty
    where the point is that no row supports the note).
    """

    id: str
    kind: str
    subject_id: int
    note_id: int
    start: int
    end: int
    quote: str
    table: str
    row_ids: tuple[int, ...]
    explanation_en: str
    explanation_zh: str


@dataclass(frozen=True, slots=True)
class _Change:
    """What a kind did to a note."""

    start: int
    end: int
    table: str
    row_ids: tuple[int, ...]
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class _Case:
    """A note that may be changed, with its chart and the other notes of the patient."""

    note: DraftNote
    chart: Chart
    siblings: tuple[DraftNote, ...]
    ledger: Ledger
    rng: random.Random

    def facts(self, table: str, column: str) -> Iterator[Fact]:
        """Facts of the note about a column."""
        return (f for f in self.note.pen.facts if f.table == table and f.column == column)

    def replaced(self, fact: Fact, text: str) -> tuple[int, int]:
        """Put other text where a fact was; returns the clause around it."""
        self.note.pen.splice(fact.start, fact.end, text)
        return _clause(self.note.pen.text, fact.start, fact.start + len(text))


@cache
def _material() -> dict[str, Any]:
    return yaml.safe_load(read_data("contradictions.yaml"))


def plant(
    charts: list[Chart], notes: list[DraftNote], ledger: Ledger, rng: random.Random
) -> list[Contradiction]:
    """Change notes so that they contradict the tables.

    Each kind is planted up to three times, one of them in Chinese where a note offers it; a patient carries
    one contradiction at most, so that none hides another.

    Returns:
        The key, in order of note and place.
    """
    chart_of = {chart.hadm_id: chart for chart in charts}
    by_patient: dict[int, list[DraftNote]] = {}
    for note in notes:
        by_patient.setdefault(note.subject_id, []).append(note)
    used: set[int] = set()
    planted: list[Contradiction] = []
    shuffled = sorted(notes, key=lambda note: rng.random())
    for kind, change in _KINDS.items():
        for turn in range(_material()["per_kind"]):
            language = "zh" if turn == 1 else "en"
            for note in shuffled:
                if note.subject_id in used or note.language != language:
                    continue
                chart = chart_of[note.hadm_id]
                case = _Case(note, chart, tuple(by_patient[note.subject_id]), ledger, rng)
                made = change(case)
                if made:
                    used.add(note.subject_id)
                    planted.append(_entry(kind, note, made))
                    break
    planted.sort(key=lambda c: (c.note_id, c.start))
    return [replace(c, id=f"C{number:02d}") for number, c in enumerate(planted, start=1)]


def _entry(kind: str, note: DraftNote, made: _Change) -> Contradiction:
    quote = note.pen.text[made.start : made.end]
    return Contradiction(
        "", kind, note.subject_id, note.note_id, made.start, made.end, quote, made.table, made.row_ids,
        made.en, made.zh,
    )  # fmt: skip


def _clause(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a span to the clause or line that it stands in."""
    line_start = text.rfind("\n", 0, start) + 1
    begin = line_start
    for match in _CLAUSE.finditer(text, line_start, start):
        begin = match.end()
    after = _CLAUSE.search(text, end)
    finish = after.start() if after else len(text)
    while begin < start and text[begin] in " -":
        begin += 1
    return begin, finish


def _dose(case: _Case) -> _Change | None:
    for fact in case.facts("prescriptions", "dose_val_rx"):
        row = case.ledger.row("prescriptions", fact.row_id)
        if re.fullmatch(r"\d+(\.\d+)?", str(row["dose_val_rx"])):
            dose = f"{float(str(row['dose_val_rx'])) * 2:g}"
            start, end = case.replaced(fact, dose)
            said = f"{dose} {row['dose_unit_rx']}"
            ordered = f"{row['dose_val_rx']} {row['dose_unit_rx']}"
            return _Change(
                start, end, "prescriptions", (fact.row_id,),
                f"The note gives {said} of {row['drug']}; the order is {ordered}.",
                f"记录写 {row['drug']} {said}，医嘱为 {ordered}。",
            )  # fmt: skip
    return None


def _side(case: _Case) -> _Change | None:
    if case.note.note_type == "admission":
        return None
    for fact in case.facts("diagnoses_icd", "icd_code"):
        word = case.note.pen.text[fact.start : fact.end]
        if word in _SIDES:
            start, end = case.replaced(fact, _SIDES[word])
            code = case.ledger.row("diagnoses_icd", fact.row_id)["icd_code"]
            return _Change(
                start, end, "diagnoses_icd", (fact.row_id,),
                f"The note names the other side; the coded diagnosis {code} is {word}-sided.",
                f"记录的侧别与编码诊断 {code}（{word}）相反。",
            )  # fmt: skip
    return None


def _unordered(case: _Case) -> _Change | None:
    if case.note.note_type != "progress":
        return None
    material = _material()["unordered"]
    entry = material[case.rng.randrange(len(material))]
    home = {order.drug for order in case.chart.person.home}
    ordered = {
        row["drug"]
        for row in case.ledger.tables["prescriptions"]
        if row["subject_id"] == case.note.subject_id
    }
    wrong_sex = entry.get("sex", case.chart.person.gender) != case.chart.person.gender
    if entry["drug"] in home | ordered or wrong_sex:
        return None
    sentence = entry[case.note.language]
    start = _insert_line(case, f"- {sentence}\n")
    return _Change(
        start + 2, start + 2 + len(sentence), "prescriptions", (),
        f"The note continues {entry['drug']}; no order for it exists.",
        f"记录称继续使用 {entry['drug']}，但无相应医嘱。",
    )  # fmt: skip


def _insert_line(case: _Case, line: str) -> int:
    """Insert a line before the last line of a list; returns where it begins."""
    text = case.note.pen.text
    start = text.rfind("\n- ") + 1
    case.note.pen.splice(start, start, line)
    return start


def _stopped(case: _Case) -> _Change | None:
    if case.note.note_type != "progress" or case.chart.stay.discharge:
        return None
    later = [n for n in case.siblings if n.time > case.note.time and n.note_type == "progress"]
    running = [
        o
        for o in case.chart.orders
        if o.stop is None and (case.note.time - o.start).total_seconds() > 30 * 3600
    ]
    said = {f.row_id for f in case.note.pen.facts if f.table == "prescriptions"}
    running = [o for o in running if o.row_id not in said]
    if later or not running:
        return None
    order = case.rng.choice(running)
    name = load_reference().drugs[order.drug]
    sentence = (
        f"{name.zh}昨日已停用。" if case.note.language == "zh" else f"{order.drug} was stopped yesterday."
    )
    start = _insert_line(case, f"- {sentence}\n")
    return _Change(
        start + 2, start + 2 + len(sentence), "prescriptions", (order.row_id,),
        f"The note says that {order.drug} was stopped; the order is still active.",
        f"记录称 {order.drug} 已停用，但医嘱仍在执行。",
    )  # fmt: skip


def _lab(case: _Case) -> _Change | None:
    found = [f for f in case.facts("labevents", "valuenum")]
    if case.note.note_type not in ("progress", "consult", "discharge") or not found:
        return None
    labels = {item.itemid: item for item in load_reference().labs.values()}
    for fact in case.rng.sample(found, len(found)):
        row = case.ledger.row("labevents", fact.row_id)
        item = labels[int(str(row["itemid"]))]
        if item.label not in (
            "Creatinine",
            "Hemoglobin",
            "Potassium",
            "Platelet Count",
            "C-Reactive Protein",
        ):
            continue
        value = float(str(row["valuenum"])) * (0.7 if item.label == "Hemoglobin" else 1.5)
        start, end = case.replaced(fact, f"{value:.{item.decimals}f}")
        return _Change(
            start, end, "labevents", (fact.row_id,),
            f"The note gives {value:.{item.decimals}f} for {item.label}; "
            f"the laboratory reported {row['value']}.",
            f"记录的{item.zh}为 {value:.{item.decimals}f}，检验结果为 {row['value']}。",
        )  # fmt: skip
    return None


def _uncoded(case: _Case) -> _Change | None:
    if case.note.note_type != "discharge":
        return None
    facts = list(case.facts("diagnoses_icd", "icd_code"))[: len(case.chart.diagnoses)]
    text = case.note.pen.text
    start = text.find("\n", facts[-1].end) + 1
    entry = _material()["uncoded"][case.rng.randrange(len(_material()["uncoded"]))]
    name = entry[case.note.language]
    before = f"{len(facts) + 1}. "
    case.note.pen.splice(start, start, f"{before}{name}\n")
    start += len(before)
    return _Change(
        start, start + len(name), "diagnoses_icd", (),
        f"The summary lists {entry['en']}; it is not among the coded diagnoses.",
        f"出院诊断写有{entry['zh']}，编码诊断中没有。",
    )  # fmt: skip


def _sex(case: _Case) -> _Change | None:
    if case.note.note_type not in ("consult", "radiology") or case.chart.stay.course.sex != "any":
        return None
    for fact in case.facts("patients", "gender"):
        word = case.note.pen.text[fact.start : fact.end]
        start, end = case.replaced(fact, _SEXES[word])
        return _Change(
            start, end, "patients", (fact.row_id,),
"The note calls the patient a woman; the record says male."
            if case.chart.person.gender == "m"
            else "The note calls the patient a man; the record says female.",
            "记录的性别与患者登记的性别不符。",
        )  # fmt: skip
    return None


def _age(case: _Case) -> _Change | None:
    if case.note.note_type not in ("consult", "radiology", "discharge"):
        return None
    for fact in case.facts("admissions", "age"):
        age = case.chart.age
        said = age + (10 if age < 75 else -10)
        start, end = case.replaced(fact, str(said))
        return _Change(
            start, end, "admissions", (fact.row_id,),
            f"The note gives the age as {said}; it is {age}.", f"记录的年龄为{said}岁，实际为{age}岁。",
        )  # fmt: skip
    return None


def _organism(case: _Case) -> _Change | None:
    others = {entry["code"]: entry for entry in _material()["organisms"]}
    for fact in case.facts("microbiologyevents", "org_name"):
        code = str(case.ledger.row("microbiologyevents", fact.row_id)["org_name"])
        if code not in others:
            continue
        name = others[code][case.note.language]
        start, end = case.replaced(fact, name)
        return _Change(
            start, end, "microbiologyevents", (fact.row_id,),
            f"The note names {others[code]['en']}; the culture grew {code.capitalize()}.",
            f"记录的病原菌为{others[code]['zh']}，培养结果为 {code.capitalize()}。",
        )  # fmt: skip
    return None


def _unrecorded_allergy(case: _Case) -> _Change | None:
    if case.note.note_type != "admission":
        return None
    for fact in case.facts(NO_ALLERGY.table, NO_ALLERGY.column):
        if fact.row_id == NO_ALLERGY.row_id:
            said = _material()["unrecorded_allergy"][case.note.language]
            case.note.pen.splice(fact.start, fact.end, said)
            return _Change(
                fact.start, fact.start + len(said), "allergies", (),
                "The note documents an allergy to sulfa drugs; the allergy list is empty.",
                "记录有磺胺类药物过敏，过敏表中没有。",
            )  # fmt: skip
    return None


def _allergic_order(case: _Case) -> _Change | None:
    """Give a patient an allergy to a drug that was ordered; notes and the allergy list agree on it."""
    if case.note.note_type != "admission" or len({n.hadm_id for n in case.siblings}) > 1:
        return None
    groups = load_reference().drugs
    for group, allergy in _material()["allergies"].items():
        orders = [o for o in case.chart.orders if groups[o.drug].allergy_group == group]
        if not orders or case.chart.person.allergies:
            continue
        row_id = case.ledger.add(
            "allergies", subject_id=case.note.subject_id, hadm_id=None,
            charttime=stamp(case.chart.stay.admit),
            substance=allergy["substance"], reaction="rash", severity=None, status="active", code=None,
        )  # fmt: skip
        places = [_state_allergy(note, allergy, row_id) for note in case.siblings]
        start, end = places[case.siblings.index(case.note)] or (0, 0)
        drugs = ", ".join(dict.fromkeys(o.drug for o in orders))
        return _Change(
            start, end, "prescriptions", tuple(o.row_id for o in orders),
            f"The patient is allergic to {allergy['en']}; {drugs} was ordered.",
            f"患者对{allergy['zh']}过敏，却开具了 {drugs}。",
        )  # fmt: skip
    return None


def _state_allergy(note: DraftNote, allergy: dict[str, str], row_id: int) -> tuple[int, int] | None:
    """Write the allergy where a note denied any; returns the place."""
    fact = next((f for f in note.pen.facts if (f.table, f.row_id) == ("allergies", 0)), None)
    if fact is None:
        return None
    name = allergy[note.language]
    before, after = ("对", "过敏（皮疹）") if note.language == "zh" else ("", " (rash)")
    note.pen.splice(fact.start, fact.end, before + name + after)
    source = Source("allergies", row_id, "substance")
    start = fact.start + len(before)
    note.pen.facts.append(Fact(start, start + len(name), source.table, source.row_id, source.column))
    note.pen.facts.sort(key=lambda f: f.start)
    return fact.start, fact.start + len(before + name + after)


_KINDS: dict[str, Callable[[_Case], _Change | None]] = {
    "allergy_against_prescription": _allergic_order,
    "wrong_organism": _organism,
    "wrong_side": _side,
    "stopped_but_active": _stopped,
    "drug_not_ordered": _unordered,
    "diagnosis_not_coded": _uncoded,
    "wrong_dose": _dose,
    "lab_value": _lab,
    "allergy_not_recorded": _unrecorded_allergy,
    "wrong_sex": _sex,
    "wrong_age": _age,
}
