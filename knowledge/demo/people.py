"""The people of the demo hospital: plainly fictitious names, chronic diseases, allergies, lives outside."""

import random
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import yaml

from knowledge.demo.courses import Condition, Course, Language, Order, load_conditions
from knowledge.demo.reference import read_data

FIRST_SUBJECT = 90001


@dataclass(frozen=True, slots=True)
class Allergy:
    """An allergy of a person, with its names in notes."""

    substance: str
    group: str
    en: str
    zh: str
    reaction_en: str
    reaction_zh: str


@dataclass(frozen=True, slots=True)
class Person:
    """A patient.

    ``life`` holds details that no table has (how the person lives, works, smokes …), in their language.
    ``home`` are the drugs taken at home; ``usual`` are personal usual laboratory values by label.
    """

    subject_id: int
    language: Language
    gender: str
    dob: date
    name: str
    mrn: str
    race: str
    insurance: str
    marital: str
    side: str
    height: int
    weight: float
    chronic: tuple[Condition, ...]
    home: tuple[Order, ...]
    allergies: tuple[Allergy, ...]
    life: dict[str, str]
    usual: dict[str, float] = field(default_factory=dict)

    def age(self, on: date) -> int:
        """Completed years on a day."""
        return on.year - self.dob.year - ((on.month, on.day) < (self.dob.month, self.dob.day))


@cache
def life_tables() -> dict[str, Any]:
    """Names and details of lives (``data/people.yaml``)."""
    return yaml.safe_load(read_data("people.yaml"))


def make_person(index: int, course: Course, language: Language, born: date, rng: random.Random) -> Person:
    """Draw the person who lives through ``course``.

    Args:
        index: 0-based number of the patient in the hospital.
        course: decides sex, chronic diseases that belong to it and those that cannot be.
        language: of the notes and of the name.
        born: date of birth.
        rng: the patient's own source of chance.
    """
    words = life_tables()[language]
    gender = course.sex if course.sex != "any" else rng.choice("mf")
    age = 2026 - born.year
    chronic = _chronic(course, gender, age, rng)
    home: dict[str, Order] = {}
    for condition in chronic:
        if condition.regimens:
            for order in rng.choice(condition.regimens):
                home.setdefault(order.drug, order)
    drugs_of_course = {order.drug for order in course.drugs}
    given = rng.choice(words[f"given_{gender}"])
    family = words["surname"][(index * 7 + index // len(words["surname"])) % len(words["surname"])]
    codes = {condition.code for condition in chronic}
    bmi = (31.0, 38.0) if "E669" in codes else (20.5, 29.0)
    height = round(rng.gauss(163 if gender == "f" else 175, 6))
    return Person(
        subject_id=FIRST_SUBJECT + index,
        language=language,
        gender=gender,
        dob=born,
        name=f"Demo-{family}, {given}" if language == "en" else f"示例·{family}{given}",
        mrn=f"DEMO-{index + 1:06d}",
        race="ASIAN - CHINESE" if language == "zh" else rng.choice(_RACES),
        insurance="Medicare" if age >= 65 else rng.choice(("Private", "Medicaid", "Other")),
        marital=rng.choice(("MARRIED", "MARRIED", "SINGLE", "WIDOWED" if age > 55 else "SINGLE", "DIVORCED")),
        side=rng.choice(("right", "left")),
        height=height,
        weight=round(rng.uniform(*bmi) * (height / 100) ** 2, 1),
        chronic=chronic,
        home=tuple(order for drug, order in home.items() if drug not in drugs_of_course),
        allergies=_allergies(rng),
        life=_life(words, age, "Z87891" in codes, rng),
        usual={label: rng.uniform(*span) for condition in chronic for label, span in condition.labs.items()},
    )


_RACES = ("WHITE", "WHITE", "WHITE", "BLACK/AFRICAN AMERICAN", "HISPANIC/LATINO", "ASIAN", "OTHER")


def _chronic(course: Course, gender: str, age: int, rng: random.Random) -> tuple[Condition, ...]:
    coded = {d.code for d in course.diagnoses}
    found: list[Condition] = []
    for condition in load_conditions():
        fits = age >= condition.from_age and condition.sex in ("any", gender)
        drawn = condition.code in course.chronic or rng.random() < condition.p
        if not fits or not drawn or condition.code in course.never or condition.code in coded:
            continue
        # A kidney disease beside diabetes is the diabetic one, which has a course of its own.
        if condition.code == "N1832" and any(c.code == "E119" for c in found):
            continue
        found.append(condition)
    return tuple(found)


def _allergies(rng: random.Random) -> tuple[Allergy, ...]:
    if rng.random() > 0.34:
        return ()
    picked = rng.sample(life_tables()["allergies"], 2 if rng.random() < 0.15 else 1)
    made = []
    for entry in picked:
        reaction = rng.choice(entry["reactions"])
        made.append(
            Allergy(entry["substance"], entry["group"], entry["en"], entry["zh"], reaction[0], reaction[1])
        )
    return tuple(made)


def _life(words: dict[str, Any], age: int, smoked: bool, rng: random.Random) -> dict[str, str]:
    def draw(key: str) -> str:
        return str(rng.choice(words[key]))

    return {
        "living": draw("living"),
        "occupation": draw("young_occupation" if age < 50 else "occupation"),
        "smoking": draw("smoking_past" if smoked else "smoking"),
        "alcohol": draw("alcohol"),
        "function": draw("function") if age >= 55 else words["function_young"],
        "family": draw("family"),
        "code": words["code"][0] if age < 60 else draw("code"),
        "contact": draw("contact"),
        "personal": draw("personal") if age >= 55 else draw("personal_young"),
    }
