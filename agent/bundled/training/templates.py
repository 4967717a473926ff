"""Question templates: one plan and the ways in which staff ask for it, in either language.

They stand in ``templates/LANGUAGE/*.yaml``, each file a list of::

    - plan: one rows .value distinct=false {a}( @a | {T} pick( which=last ) )
      ask:
        - (what was|what is|show me) {P's} (last|latest|most recent) <a:lab|vital> {T}
        - last <a:lab|vital> [value] {T}

In a question ``(x|y)`` is one of several, ``[x]`` and ``[x|y]`` may be left out, ``<a:lab|drug>`` names a
value (called ``a``) of one of these fields, ``<n>``, ``<m>`` are numbers, ``<t>`` is a period and ``<e>`` an
encounter that has to be there (``<e:icu>`` of the ICU; ``<t2>``, ``<e2>`` a second one), ``{T}`` is a period,
an encounter or nothing, ``{P}`` the patient in any wording, ``{P's}`` of the patient; ``<chart>`` stands for
the words that ask for a chart. In the plan ``@a`` points at the value and ``{a}`` is its domain, ``#n`` at
the number, ``@t``, ``@e``, ``@t2``, ``@e2`` at the time, ``{T}`` at whatever was chosen.
"""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from agent.answer import Language
from agent.bundled.delexical import tidy

LANGUAGES: tuple[Language, ...] = ("en", "zh")
_ALTERNATIVES = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]")
_SLOT = re.compile(r"<([a-z]\d?)(?::([a-z_|.]+))?>")
_TIMES: Mapping[Language, tuple[str, ...]] = {  # prepositions belong to a period, but not to an encounter
    "en": ("", "", "<t>", "<t>", "<e>", "on <e>", "during <e>", "<e:icu>", "in <e:icu>"),
    "zh": ("", "", "<t>", "<t>", "<e>", "<e:icu>"),
}
_TIMES_OF_MANY = ("", "<t>")  # an encounter is one patient's
_TIME_FIRST = 0.2  # share of English questions whose time at the end is moved to the front
_PATIENT: Mapping[tuple[Language, str], tuple[str, ...]] = {
    ("en", "{P}"): ("<p>", "<p>", "the patient", "this patient", "she", "he", "pt", "the pt"),
    ("en", "{P's}"): ("<p> 's", "<p>", "the patient 's", "her", "his", "pt 's", "pt"),
    ("zh", "{P}"): ("<p>", "<p>", "患者", "病人", "他", "她", "该患者", "这个病人", ""),
    ("zh", "{P's}"): ("<p>", "<p>的", "患者", "患者的", "病人", "他的", "她的", ""),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A delexicalised question and its plan script.

    Attributes:
        text: with placeholders, without the word that says whether a patient is open.
        tags: the field of which each linked value is: ``{"v1": "lab"}``.
        plan: the script, tokens apart.
    """

    text: str
    tags: Mapping[str, str]
    plan: str
    language: Language


@dataclass(frozen=True, slots=True)
class Template:
    """One entry of a template file."""

    plan: str
    ask: tuple[str, ...]
    language: Language
    file: str


@cache
def load_templates() -> tuple[Template, ...]:
    """All templates of both languages."""
    folder = files("agent.bundled.training").joinpath("templates")
    found = []
    for language in LANGUAGES:
        for file in sorted(folder.joinpath(language).iterdir(), key=lambda f: f.name):
            if file.name.endswith(".yaml"):
                for entry in yaml.safe_load(file.read_text(encoding="utf-8")) or ():
                    found.append(Template(entry["plan"], tuple(entry["ask"]), language, file.name))
    return tuple(found)


def realise(template: Template, ask: str, chance: random.Random) -> Pair:
    """One question of a template with its plan.

    Raises:
        ValueError: the plan points at what the question does not name.
    """
    text, plan = ask, template.plan
    while _ALTERNATIVES.search(text):
        text = _ALTERNATIVES.sub(lambda match: _chosen(match, chance), text)
    if template.language == "en" and text.endswith("{T}") and chance.random() < _TIME_FIRST:
        text = "{T} " + text.removesuffix("{T}")
    if "{T}" in text or "{T}" in plan:
        times = _TIMES_OF_MANY if plan.startswith("all ") else _TIMES[template.language]
        time = chance.choice(times) if "{T}" in text else ""
        text = text.replace("{T}", time)
        kind = re.search(r"<(\w)", time)
        plan = plan.replace("{T}", f"@{kind[1]}" if kind else "")
    for mark in ("{P's}", "{P}"):
        while mark in text:
            text = text.replace(mark, chance.choice(_PATIENT[template.language, mark]), 1)
    tags: dict[str, str] = {}
    counts: dict[str, int] = {}

    def place(match: re.Match[str]) -> str:
        nonlocal plan
        name, kinds = match[1], match[2]
        kind = "v" if kinds and name[0] not in "te" else name[0] if name[0] in "te" else "n"
        counts[kind] = counts.get(kind, 0) + 1
        pointer = f"{kind}{counts[kind]}"
        if kind == "v":
            tag = chance.choice(kinds.split("|"))
            tags[pointer] = tag
            plan = plan.replace(f"{{{name}}}", tag.partition(".")[0])
        sign = "#" if kind == "n" else "@"
        plan = re.sub(rf"{sign}{name}(?![a-z0-9])", pointer, plan)
        icu = "<icu>" if kinds == "icu" else ""
        return f" \ue000{pointer}\ue001{icu} "

    text = _SLOT.sub(lambda m: m[0] if m[0] == "<p>" else place(m), text)
    left = re.search(r"(?<!\w)[@#]\w|\{", plan)
    if left:
        raise ValueError(f"{template.file}: {template.plan!r} points at what {ask!r} does not name")
    text = text.replace("\ue000", "<").replace("\ue001", ">")
    text = re.sub(r"\s+", " ", text).strip()
    if template.language == "zh":
        text = re.sub(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])", "", text)
    return Pair(tidy(text), tags, re.sub(r"\s+", " ", plan).strip(), template.language)


def generate(seed: int, each: Mapping[Language, int]) -> Iterator[Pair]:
    """So many questions of every wording of every template of a language, in a fixed random order of choices."""
    chance = random.Random(seed)
    for template in load_templates():
        for ask in template.ask:
            for _ in range(each[template.language]):
                yield realise(template, ask, chance)


def _chosen(match: re.Match[str], chance: random.Random) -> str:
    if match[2] is not None and chance.random() < 0.5:
        return ""
    return chance.choice((match[1] if match[2] is None else match[2]).split("|"))
