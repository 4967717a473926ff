"""Which of the values that words may mean can be believed.

The value index finds every value that contains a word. That is right for the user who picks from a list, and
too much for a planner: "blood" is part of a transfusion's name and "heart" of fifty diagnoses. A link made of
a part of a name counts here only where that part carries the name.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.resources import files

import yaml

from agent.planning.link import Candidate
from agent.planning.nouns import is_beside_noun
from agent.planning.times import half_width
from agent.planning.vocabulary import is_common
from agent.query.model import Domain
from indexes.tokens import normalise, stop_words

_LONG_TITLES: frozenset[Domain] = frozenset({"diagnosis", "procedure"})
_MEASURED: frozenset[Domain] = frozenset({"lab", "vital"})
_CHARTED: frozenset[Domain] = frozenset({"input", "output", "observation", "procedure"})
_SHORT = 3  # letters: "got", "mg", "as" are words of questions before they are abbreviations
_BY_FORM = frozenset({"synonym", "abbreviation"})


def plausible(text: str, start: int, end: int, candidates: Iterable[Candidate]) -> list[Candidate]:
    """The candidates that the words ``text[start:end]`` of a question can be believed to mean."""
    said, folded = text[start:end], half_width(text)

    def beside_noun(domain: Domain) -> bool:
        return is_beside_noun(folded, start, end, domain)

    kept = [candidate for candidate in candidates if _believable(said, candidate, beside_noun)]
    return _telling(said, kept)


def _believable(said: str, candidate: Candidate, beside_noun: Callable[[Domain], bool]) -> bool:
    words = normalise(said).split()
    if len(said) <= _SHORT and said.islower() and is_common(said):
        if candidate.how in _BY_FORM:
            return False
        if candidate.how == "exact" and candidate.domain in _MEASURED:
            return beside_noun(candidate.domain)  # "pt" is the patient, "pt lab test" is none
    if len(words) != 1:
        return True
    word = words[0]
    general = word in _words("general")
    if candidate.how == "exact":
        return not (general and candidate.domain in _CHARTED) or beside_noun(candidate.domain)
    title = _content(candidate.value)
    if candidate.field == "organism" and any(_same(word, other) for other in title[1:]):
        return False  # "pneumonia" is no Streptococcus pneumoniae: an organism is named by its genus
    if candidate.how != "token":
        return True
    if general:
        return False
    if candidate.domain in _LONG_TITLES:
        return len(title) == 1
    return 2 * len(words) >= len(title) or _same(word, title[0]) or _same(word, title[-1])


def _telling(said: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Measurements whose name has as many of the words as the best: "systolic pressure" is not diastolic."""
    words = [word for word in normalise(said).split() if word not in stop_words()]
    if len(words) < 2 and any(candidate.how != "token" for candidate in candidates):
        return list(candidates)  # "WBC" is also the name of what other values spell out
    shared = {
        candidate: sum(word in normalise(candidate.value).split() for word in words)
        for candidate in candidates
        if candidate.domain in _MEASURED and candidate.count
    }
    most = max(shared.values(), default=0)
    return [candidate for candidate in candidates if shared.get(candidate, most) == most]


def _content(title: str) -> list[str]:
    """The words of a title that tell what it is."""
    words = [w for w in normalise(title).split() if w not in stop_words() and w not in _words("fillers")]
    return words or normalise(title).split()


def _same(word: str, other: str) -> bool:
    """Whether two words are forms of one."""
    short, long = sorted((word, other), key=len)
    return long.startswith(short) and len(long) - len(short) <= 2


@cache
def _words(name: str) -> frozenset[str]:
    content = yaml.safe_load(files("agent.planning").joinpath("cues.yaml").read_text(encoding="utf-8"))
    return frozenset(re.findall(r"\w+", content[name]))
