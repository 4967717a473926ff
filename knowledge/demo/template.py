"""The notation of the courses' sentences, and how it is filled from a chart.

``<a|b|>`` says one of the alternatives (possibly nothing). ``{…}`` states something of the chart:

========================  =========================================================================
``{lab:Creatinine}``      latest result with its unit; ``:first``, ``:peak``, ``:low``, ``:prev``
``{n:Creatinine}``        the number alone
``{v:HR}``, ``{bp}``      latest vital sign, blood pressure
``{rx:Furosemide}``       drug, dose, route and frequency of the order running now
``{drug:Furosemide}``     the drug of an order that runs now; ``{had:…}`` of any order so far
``{dose:Furosemide}``     its dose and unit
``{dx:N179}``             a coded diagnosis; ``{px:0W9G3ZZ}`` a procedure that was done;
                          ``{nopx:…}`` stands for nothing, and only where it was not done
``{org:BLOOD CULTURE}``   the organism that grew; ``{s:…}`` what it is susceptible to;
                          ``{nogrowth:…}`` that nothing grew
``{side}``, ``{offside}``  the diseased side as coded, and the other one
``{age}``, ``{sex}``      of the patient; ``{he}``, ``{his}``, ``{him}``, ``{He}``, ``{His}``
``{day}``                 day of the stay; any other name is a facet of the course or a detail of the life
========================  =========================================================================

A sentence whose placeholder has nothing to state is left unsaid.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from knowledge.demo.chart import Chart, Grown, Measured, Ordered
from knowledge.demo.courses import Language
from knowledge.demo.pen import Pen, Source
from knowledge.demo.reference import Reference, read_table

_CHOICE = re.compile(r"<([^<>]*\|[^<>]*)>")
_PLACE = re.compile(r"\{([^{}]+)\}")
_PRONOUNS = {
    "f": {"he": "she", "his": "her", "him": "her", "man": "woman"},
    "m": {"he": "he", "his": "his", "him": "him", "man": "man"},
}
_ZH_SIDE = {"right": "右", "left": "左"}


@cache
def organism_names() -> dict[str, str]:
    """Chinese names of the organisms and antibiotics that the laboratory reports."""
    return {row["name"]: row["zh"] for row in read_table("microbes.tsv")}


class Unsaid(Exception):
    """The chart holds nothing for a placeholder."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a note can know: a chart at a time, in a language."""

    chart: Chart
    time: datetime
    language: Language
    reference: Reference
    rng: random.Random

    def render(self, sentence: str) -> Pen:
        """Fill one sentence.

        Raises:
            Unsaid: a placeholder has nothing to state.
        """
        while match := _CHOICE.search(sentence):
            picked = self.rng.choice(match[1].split("|"))
            sentence = sentence[: match.start()] + picked + sentence[match.end() :]
        pen = Pen()
        position = 0
        for match in _PLACE.finditer(sentence):
            pen.write(sentence[position : match.start()])
            self._place(match[1], pen)
            position = match.end()
        pen.write(sentence[position:])
        return pen

    def say(self, options: str | list[str]) -> Pen | None:
        """One of the alternatives that can be said, or ``None``."""
        choices = [options] if isinstance(options, str) else list(options)
        self.rng.shuffle(choices)
        for choice in choices:
            try:
                return self.render(choice)
            except Unsaid:
                continue
        return None

    def _place(self, name: str, pen: Pen) -> None:
        kind, _, argument = name.partition(":")
        if argument:
            _KINDS[kind](self, argument, pen)
            return
        chart = self.chart
        admission = chart.admission_row
        if name == "age":
            pen.write(str(chart.age), Source("admissions", admission, "age"))
        elif name in ("sex", "man"):
            word = _PRONOUNS[chart.person.gender]["man"]
            if self.language == "zh":
                word = "女" if chart.person.gender == "f" else "男"
            pen.write(word, Source("patients", chart.patient_row, "gender"))
        elif name == "bp":
            self._pressure(pen)
        elif name in ("side", "offside"):
            self._side(name, pen)
        elif name == "day":
            pen.write(str((self.time.date() - chart.stay.admit.date()).days + 1))
        elif name.lower() in _PRONOUNS["m"]:
            word = _PRONOUNS[chart.person.gender][name.lower()]
            pen.write(word.capitalize() if name[0].isupper() else word)
        elif name in chart.facets:
            facet = chart.facets[name]
            pen.append(self.render(facet.zh if self.language == "zh" else facet.en))
        elif name in chart.person.life:
            pen.append(self.render(chart.person.life[name]))
        else:
            raise KeyError(
                f"{{{name}}} is neither a placeholder, a facet of {chart.stay.course.id!r} nor a life detail"
            )

    def _pressure(self, pen: Pen) -> None:
        high, low = self.chart.vital("SBP", self.time), self.chart.vital("DBP", self.time)
        if high is None or low is None:
            raise Unsaid
        pen.write(high.text, Source("chartevents", high.row_id, "valuenum"))
        pen.write("/")
        pen.write(low.text, Source("chartevents", low.row_id, "valuenum"))

    def _side(self, name: str, pen: Pen) -> None:
        coded = next((d for d in self.chart.diagnoses if d.side), None)
        if coded is None or coded.side is None:
            raise Unsaid
        if name == "side":
            word = _ZH_SIDE[coded.side] if self.language == "zh" else coded.side
            pen.write(word, Source("diagnoses_icd", coded.row_id, "icd_code"))
            return
        other = "left" if coded.side == "right" else "right"
        pen.write(_ZH_SIDE[other] if self.language == "zh" else other)

    def result(self, argument: str) -> Measured:
        """The result that ``Label`` or ``Label:first|peak|low|prev`` means at this time."""
        label, _, which = argument.partition(":")
        results = self.chart.results(label, self.time)
        if not results or (which == "prev" and len(results) < 2):
            raise Unsaid
        if which == "first":
            return results[0]
        if which == "peak":
            return max(results, key=lambda m: m.value)
        if which == "low":
            return min(results, key=lambda m: m.value)
        return results[-2] if which == "prev" else results[-1]

    def order(self, drug: str, *, running: bool = True) -> Ordered:
        """The order of a drug that runs now (or the latest so far)."""
        for order in reversed(self.chart.orders):
            if order.drug == drug and order.start <= self.time and (order.active(self.time) or not running):
                return order
        raise Unsaid

    def culture(self, specimen: str) -> Grown:
        """The latest culture of a specimen whose result is known."""
        for culture in reversed(self.chart.cultures):
            if culture.specimen == specimen and culture.reported <= self.time:
                return culture
        raise Unsaid

    def drug_name(self, drug: str) -> str:
        """How notes in this language call a drug."""
        return self.reference.drugs[drug].zh if self.language == "zh" else _spoken(drug)

    def write_order(self, order: Ordered, pen: Pen) -> None:
        """Drug, dose, unit, route and frequency, each with its fact."""
        pen.write(self.drug_name(order.drug), Source("prescriptions", order.row_id, "drug"))
        pen.write(" ")
        self.write_dose(order, pen)
        for column, code in (("route", order.route), ("frequency", order.frequency)):
            sig = self.reference.sigs[code]
            pen.write(" ")
            pen.write(
                sig.zh if self.language == "zh" else sig.en, Source("prescriptions", order.row_id, column)
            )

    def write_dose(self, order: Ordered, pen: Pen) -> None:
        """Dose and unit."""
        pen.write(order.dose, Source("prescriptions", order.row_id, "dose_val_rx"))
        pen.write(" ")
        pen.write(order.unit, Source("prescriptions", order.row_id, "dose_unit_rx"))


def _spoken(drug: str) -> str:
    """A drug as English notes write it: in small letters, but for release forms (``ER``)."""
    return " ".join(word if word.isupper() else word.lower() for word in drug.split())


def _no_procedure(scene: Scene, argument: str, pen: Pen) -> None:
    if any(scene.chart.done(argument, scene.time)):
        raise Unsaid


def _lab(scene: Scene, argument: str, pen: Pen) -> None:
    measured = scene.result(argument)
    pen.write(measured.text, Source("labevents", measured.row_id, "valuenum"))
    if measured.unit:
        pen.write("" if measured.unit == "%" else " ")
        pen.write(measured.unit, Source("labevents", measured.row_id, "valueuom"))


def _number(scene: Scene, argument: str, pen: Pen) -> None:
    measured = scene.result(argument)
    pen.write(measured.text, Source("labevents", measured.row_id, "valuenum"))


def _vital(scene: Scene, argument: str, pen: Pen) -> None:
    measured = scene.chart.vital(argument, scene.time)
    if measured is None or (argument == "O2" and (scene.time - measured.time).total_seconds() > 8 * 3600):
        raise Unsaid
    pen.write(measured.text, Source("chartevents", measured.row_id, "valuenum"))


def _rx(scene: Scene, argument: str, pen: Pen) -> None:
    scene.write_order(scene.order(argument), pen)


def _drug(scene: Scene, argument: str, pen: Pen) -> None:
    order = scene.order(argument)
    pen.write(scene.drug_name(order.drug), Source("prescriptions", order.row_id, "drug"))


def _had(scene: Scene, argument: str, pen: Pen) -> None:
    order = scene.order(argument, running=False)
    pen.write(scene.drug_name(order.drug), Source("prescriptions", order.row_id, "drug"))


def _dose(scene: Scene, argument: str, pen: Pen) -> None:
    scene.write_dose(scene.order(argument), pen)


def _dx(scene: Scene, argument: str, pen: Pen) -> None:
    for coded in scene.chart.diagnoses:
        if coded.code == argument:
            name = scene.reference.diagnoses[argument]
            pen.write(
                name.zh if scene.language == "zh" else name.en,
                Source("diagnoses_icd", coded.row_id, "icd_code"),
            )
            return
    raise Unsaid


def _px(scene: Scene, argument: str, pen: Pen) -> None:
    for coded in scene.chart.done(argument, scene.time):
        name = scene.reference.procedures[argument]
        pen.write(
            name.zh if scene.language == "zh" else name.en, Source("procedures_icd", coded.row_id, "icd_code")
        )
        return
    raise Unsaid


def _organism(scene: Scene, argument: str, pen: Pen) -> None:
    culture = scene.culture(argument)
    if culture.organism is None:
        raise Unsaid
    pen.write(
        culture.organism.capitalize() if scene.language == "en" else organism_names()[culture.organism],
        Source("microbiologyevents", culture.row_id, "org_name"),
    )


def _susceptible(scene: Scene, argument: str, pen: Pen) -> None:
    rows = [
        (row, drug)
        for drug, (row, verdict) in scene.culture(argument).susceptibility.items()
        if verdict == "S"
    ]
    if not rows:
        raise Unsaid
    for number, (row, drug) in enumerate(rows):
        pen.write("" if number == 0 else ("、" if scene.language == "zh" else ", "))
        pen.write(
            drug.lower() if scene.language == "en" else organism_names()[drug],
            Source("microbiologyevents", row, "ab_name"),
        )


def _no_growth(scene: Scene, argument: str, pen: Pen) -> None:
    if scene.culture(argument).organism is not None:
        raise Unsaid
    pen.write("no growth" if scene.language == "en" else "未见细菌生长")


_KINDS: dict[str, Callable[[Scene, str, Pen], None]] = {
    "lab": _lab, "n": _number, "v": _vital, "rx": _rx, "drug": _drug, "had": _had, "dose": _dose, "dx": _dx,
    "px": _px, "org": _organism, "s": _susceptible, "nogrowth": _no_growth,
    "nopx": _no_procedure,
}  # fmt: skip
