"""What the note writers of both languages share: lines, lists, vitals, results and copied-forward text."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import yaml

from knowledge.demo.chart import Chart, Measured, Ordered
from knowledge.demo.courses import Language, Narrative
from knowledge.demo.pen import Pen, Source
from knowledge.demo.reference import Reference, read_data
from knowledge.demo.template import Scene

_FRESH = timedelta(hours=30)


@dataclass(slots=True)
class DraftNote:
    """A note before it goes into the store."""

    note_id: int
    subject_id: int
    hadm_id: int
    time: datetime
    note_type: str
    title: str
    author: str
    language: Language
    pen: Pen


@cache
def phrases() -> dict[str, Any]:
    """Sentences that belong to no single disease (``data/phrases.yaml``)."""
    return yaml.safe_load(read_data("phrases.yaml"))


class Scribe:
    """Writes one note. ``memory`` is shared by the notes of an admission: text is copied forward from it."""

    def __init__(
        self, chart: Chart, time: datetime, reference: Reference, rng: random.Random, memory: dict[str, Pen]
    ) -> None:
        self.chart = chart
        self.time = time
        self.reference = reference
        self.rng = rng
        self.memory = memory
        self.language: Language = chart.person.language
        self.words: dict[str, Any] = phrases()[self.language]
        self.scene = Scene(chart, time, self.language, reference, rng)
        self.story: Narrative = chart.stay.course.text[self.language]
        self.pen = Pen()

    @property
    def late(self) -> bool:
        """Whether the stay is past its middle, by plan."""
        return self.chart.stay.fraction(self.time) > 0.5

    def text(self, text: str) -> None:
        """Write text as it is."""
        self.pen.write(text)

    def heading(self, text: str, *, inline: bool = False) -> None:
        """Start a section."""
        self.pen.text = self.pen.text.rstrip(" ")
        if self.pen.text and not self.pen.text.endswith("\n"):
            self.pen.write("\n")
        self.pen.write(text if inline else text + "\n")

    def say(self, options: str | list[str], before: str = "", after: str = "") -> bool:
        """Write one sentence if it can be said."""
        said = self.scene.say(options)
        if said is None:
            return False
        self.pen.write(before)
        self.pen.append(said)
        self.pen.write(after)
        return True

    def paragraph(self, sentences: Iterable[str | list[str]]) -> None:
        """Sentences in one line; English ones begin with a capital letter."""
        first = True
        for options in sentences:
            said = self.scene.say(options)
            if said is None or not said.text:
                continue
            if self.language == "en":
                said.capitalise()
                self.pen.write("" if first else " ")
            self.pen.append(said)
            first = False
        self.pen.write("\n")

    def bullets(self, sentences: Iterable[str | list[str]], marker: str = "- ") -> None:
        """One line for each sentence that can be said."""
        for options in sentences:
            self.say(options, before=marker, after="\n")

    def numbered(self, sentences: Iterable[str | list[str]]) -> None:
        """Numbered lines."""
        number = 0
        for options in sentences:
            said = self.scene.say(options)
            if said is not None:
                number += 1
                self.pen.write(f"{number}. ")
                self.pen.append(said)
                self.pen.write("\n")

    def copied(self, key: str, options: Sequence[str | list[str]], marker: str, keep: float) -> None:
        """Lines that a busy author copies forward from the last note while they still hold.

        Text that quotes results is never copied: yesterday's value would pass for today's. Orders may be
        copied while they run.
        """
        old = self.memory.get(key)
        if old and self.rng.random() < keep and self._still_holds(old):
            self.pen.append(old)
            return
        whole = self.pen
        self.pen = Pen()
        self.bullets(options, marker)
        written, self.pen = self.pen, whole
        self.memory[key] = written
        self.pen.append(written)

    def _still_holds(self, pen: Pen) -> bool:
        running = {order.row_id for order in self.chart.active_orders(self.time)}
        return all(
            fact.row_id in running
            if fact.table == "prescriptions"
            else fact.table in ("diagnoses_icd", "patients")
            for fact in pen.facts
        )

    def exam(self) -> list[tuple[str, Pen]]:
        """Findings by system: the course's own, else a normal one."""
        findings = {**self.story.exam, **(self.story.exam_late if self.late else {})}
        systems = [s for s in self.words["exam"] if s in findings or s == "gen" or self.rng.random() < 0.7]
        made: list[tuple[str, Pen]] = []
        for system in systems:
            said = self.scene.say(findings.get(system) or self.words["exam"][system])
            if said:
                made.append((self.words["exam_names"][system], said))
        return made

    def fresh(self, label: str) -> list[Measured]:
        """The latest result of a test and the one before, if the latest is of the last day."""
        results = self.chart.results(label, self.time)
        if not results or self.time - results[-1].time > _FRESH:
            return []
        return results[-2:][::-1]

    def value(self, measured: Measured) -> None:
        """Write a number with its fact."""
        self.pen.write(measured.text, Source("labevents", measured.row_id, "valuenum"))

    def panel(self, *, compare: bool) -> list[str]:
        """The tests worth quoting today: those of the course, then a few of the routine."""
        own = [label for label in self.chart.stay.course.labs if self.fresh(label)]
        routine = [label for label in self.chart.labs if label not in own and self.fresh(label)]
        self.rng.shuffle(routine)
        chosen = own[:7] + routine[: 4 if compare else 6]
        return sorted(chosen, key=lambda label: list(self.reference.labs).index(label))

    def signs(self, layout: Sequence[tuple[str, str]], joiner: str) -> None:
        """Latest vital signs; ``layout`` pairs what stands before a value with its key."""
        first = True
        for before, key in layout:
            said = self.scene.say("{bp}" if key == "BP" else f"{{v:{key}}}")
            if said is None:
                continue
            self.pen.write(("" if first else joiner) + before)
            self.pen.append(said)
            self.pen.write({"SpO2": "%"}.get(key, ""))
            first = False

    def listed(self, orders: Iterable[Ordered], marker: str = "- ") -> int:
        """One line for each order; returns how many."""
        count = 0
        for order in orders:
            self.pen.write(marker)
            self.scene.write_order(order, self.pen)
            self.pen.write("\n")
            count += 1
        return count

    def joined(self, pens: Sequence[Pen], joiner: str) -> None:
        """Pieces with something between them."""
        for number, pen in enumerate(pens):
            if number:
                self.pen.write(joiner)
            self.pen.append(pen)

    def chronic(self) -> list[Pen]:
        """The diseases that were known before this admission, as coded."""
        known = [self.scene.say(f"{{dx:{d.code}}}") for d in self.chart.diagnoses if d.background]
        return [pen for pen in known if pen is not None]

    def some_denials(self) -> str:
        """A few of the symptoms that patients of this course deny."""
        denies = list(self.story.denies)
        picked = self.rng.sample(denies, min(len(denies), self.rng.choice((2, 3, 3, 4))))
        return ("、" if self.language == "zh" else ", ").join(picked)
