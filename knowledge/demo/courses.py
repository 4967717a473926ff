"""Disease courses: what happens to a patient with one disease, as reviewed data (``data/course_*.yaml``).

This module reads and checks the files. Times in a course are fractions of the planned stay (0 admission,
1 discharge), so that one course serves short and long stays.
"""

from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from knowledge.demo.reference import DATA, read_data

Language = Literal["en", "zh"]
Options = str | list[str]
"""One sentence: a string, or alternatives of which one is said. See ``template.py`` for the notation."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(_Model):
    """A name in both languages; ``id`` lets other parts of the course depend on it."""

    en: str
    zh: str
    id: str = ""


class Conditional(_Model):
    """Something that happens with probability ``p``, and only if ``when`` (``facet=id``) holds."""

    p: float = 1.0
    when: str | None = None


class Icu(_Model):
    """An intensive care stay from ``start`` hours after admission for ``hours``."""

    p: float
    unit: str
    start: tuple[float, float] = (0.5, 3)
    hours: tuple[float, float]


class Diagnosis(Conditional):
    """A diagnosis to be coded; a pair of codes where the side matters.

    ``found_later``: not known on admission; ``background``: known long before.
    """

    code: str | None = None
    right: str | None = None
    left: str | None = None
    found_later: bool = False
    background: bool = False


class LabCurve(_Model):
    """Points ``[time fraction, low, high]``; drawn every ``every`` hours, or at first only (``None``)."""

    points: list[tuple[float, float, float]]
    every: float | None = 24


class Order(Conditional):
    """A drug order; ``dose`` is ``40|80 mg`` (one is drawn), ``otherwise`` replaces it in an allergy."""

    drug: str
    dose: str
    route: str
    freq: str
    span: tuple[float, float] = (0.0, 1.0)
    otherwise: "Order | None" = None


class Procedure(Conditional):
    """A procedure, at a time fraction."""

    code: str | None = None
    right: str | None = None
    left: str | None = None
    at: float = 0.1


class Culture(Conditional):
    """A culture: organism (``None``: no growth) and susceptibilities as ``{antibiotic: S|I|R}``."""

    specimen: str
    test: str
    at: float = 0.0
    organism: str | None = None
    susceptibility: dict[str, str] = Field(default_factory=dict)


class Transfusion(Conditional):
    """Units of red cells given around a time fraction."""

    units: tuple[int, int]
    at: float


class Study(_Model):
    """A radiology report in one language."""

    at: float
    title: str
    indication: Options
    findings: list[Options]
    impression: list[Options]


class Consult(_Model):
    """A consultation in one language."""

    at: float
    service: str
    question: Options
    body: list[Options]
    recommendations: list[Options]


class Problem(_Model):
    """A problem of the plan: title and lines, early and late in the stay."""

    title: str
    early: list[Options]
    late: list[Options]


class Narrative(_Model):
    """The sentences of a course in one language."""

    complaint: Options
    hpi: list[Options]
    denies: list[str]
    exam: dict[str, Options]
    exam_late: dict[str, Options] = Field(default_factory=dict)
    summary: Options
    problems: list[Problem]
    early: list[Options]
    late: list[Options]
    nursing: list[Options]
    nursing_late: list[Options] = Field(default_factory=list)
    studies: list[Study]
    consult: Consult
    hospital_course: list[Options]
    instructions: list[Options]
    follow_up: Options


class Course(_Model):
    """One disease course."""

    id: str
    name: Name
    sources: list[str]
    service: Name
    careunit: str
    age: tuple[int, int]
    sex: Literal["any", "f", "m"] = "any"
    sided: bool = False
    los: tuple[float, float]
    icu: Icu | None = None
    admission_type: str = "EW EMER."
    admission_location: str = "EMERGENCY ROOM"
    destinations: list[str] = Field(default_factory=lambda: ["HOME"])
    chronic: list[str] = Field(default_factory=list)
    never: list[str] = Field(default_factory=list)
    hold: list[str] = Field(default_factory=list)
    readmission: float = 0.25
    repeat: Literal["same", "any", "none"] = "same"
    facets: dict[str, list[Name]] = Field(default_factory=dict)
    diagnoses: list[Diagnosis]
    labs: dict[str, LabCurve]
    vitals: dict[str, list[tuple[float, float, float]]]
    weight_change: float = 0.0
    drugs: list[Order]
    procedures: list[Procedure] = Field(default_factory=list)
    cultures: list[Culture] = Field(default_factory=list)
    transfusion: Transfusion | None = None
    intake: tuple[int, int] = (1400, 2400)
    output: tuple[int, int] = (1300, 2300)
    text: dict[Language, Narrative]


class Condition(Conditional):
    """A chronic disease that a patient brings along: code, age from, home drugs (one set is drawn)."""

    code: str
    from_age: int = 18
    sex: Literal["any", "f", "m"] = "any"
    labs: dict[str, tuple[float, float]] = Field(default_factory=dict)
    regimens: list[list[Order]] = Field(default_factory=list)


def _load(name: str) -> object:
    return yaml.load(read_data(name), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@cache
def load_courses() -> tuple[Course, ...]:
    """All courses, by name of their file."""
    names = sorted(
        f.name for f in files(DATA).iterdir() if f.name.startswith("course_") and f.name.endswith(".yaml")
    )
    return tuple(Course.model_validate(_load(name)) for name in names)


@cache
def load_conditions() -> tuple[Condition, ...]:
    """All chronic diseases."""
    data = _load("conditions.yaml")
    assert isinstance(data, dict)
    return tuple(Condition.model_validate(item) for item in data["conditions"])
