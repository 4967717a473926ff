"""What a sentence says of the things it names: assertion and experiencer, by rules that are data.

Each phrase of the rules reaches over a part of its sentence, up to the next phrase that stops it. A mention
is judged by the phrases that reach it: of those about polarity (negated, possible, present) the nearest.
"""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.mentions.mention import Assertion, Experiencer
from knowledge.mentions.rulebook import NEW_CLAUSE, Rule, Rulebook
from knowledge.mentions.words import Words

_ABSORBED_WITHIN = 4
"""Words between a negation and the verb or noun that it negates."""
_POLAR = frozenset(("negated", "possible", "present"))
_INSIDE = frozenset(("historical", "possible"))
"""What the first words of a name may say of it: "old infarct"."""
_WHOLE = frozenset(("negated", "historical", "family"))
_SUBJECT = frozenset(("family", "other"))
_LABEL = re.compile(r"\b[A-Z][A-Z/&-]{2,}(?: [A-Z/&-]+){0,2}:")
"""A label in capitals inside a line begins something new ("... CLINICAL HISTORY: fall")."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a sentence says of one mention.

    Attributes:
        stated: the sentence says outright that it is there.
        now: it says that it is there now.
        own: it names the patient before it.
    """

    assertion: Assertion
    experiencer: Experiencer
    stated: bool = False
    now: bool = False
    own: bool = False


@dataclass(frozen=True, slots=True)
class _Cue:
    """A rule in its place: its phrase takes the words ``first`` to ``last`` (not included) for itself.

    Attributes:
        name: the name that it is part of; it says nothing of what stands outside.
    """

    first: int
    last: int
    rule: Rule
    name: tuple[int, int] | None = None

    def concerns(self, first: int, last: int) -> bool:
        """Whether it may say something of the words ``first`` to ``last`` (not included)."""
        return self.name is None or (self.name[0] <= first and last <= self.name[1])


class Context:
    """The cues of one sentence, to judge its mentions with.

    Args:
        text: the whole text.
        words: of the whole text.
        first, last: the sentence's words, ``last`` not included.
        book: the rules to read it with.
        names: for each word that is part of a name, that name's first and last word (not included).
    """

    def __init__(
        self,
        text: str,
        words: Words,
        first: int,
        last: int,
        book: Rulebook,
        names: Mapping[int, tuple[int, int]],
    ) -> None:
        cues: list[_Cue] = []
        place = first
        while place < last:
            phrase = book.at(words.raw, place, last)
            if phrase is None:
                place += 1
                continue
            for rule, taken in phrase.rules:
                last_word = place + taken
                if last_word < last and words.raw[last_word] == ":" and rule.means != "stop":
                    last_word += 1  # "differential: ...", "denies: ...": the colon belongs to its word
                if rule.means != "nothing":
                    name = _name_of(place, last_word, rule, names.get(place))
                    cues.append(_Cue(place, last_word, rule, name))
            place += max(taken for _, taken in phrase.rules)
        self._cues = [cue for cue in cues if not _absorbed(cue, cues)]
        self._stops = [cue for cue in self._cues if cue.rule.ends]
        if first < last:
            for label in _LABEL.finditer(text, words.starts[first], words.ends[last - 1]):
                at = bisect_left(words.starts, label.start())
                self._stops.append(_Cue(at, at, NEW_CLAUSE))

    def judge(self, first: int, last: int) -> Judgement:
        """What is said of the mention that takes the words ``first`` to ``last`` (not included)."""
        reaching: dict[str, int] = {}
        for cue in self._cues:
            means = cue.rule.means
            if means == "stop" or not cue.concerns(first, last):
                continue
            distance = self._distance(cue, first, last)
            if distance is not None and distance <= reaching.get(means, distance):
                reaching[means] = distance
        own = any(stop.first < first and stop.rule.ends == _SUBJECT for stop in self._stops)
        return _judgement(reaching, own)

    def apart(self, first: int, last: int) -> bool:
        """Whether something that ends a clause stands among the words ``first`` to ``last`` (not included)."""
        return any(
            cue.rule.ends >= _WHOLE and not cue.rule.weak and first <= cue.first < last for cue in self._stops
        )

    def _distance(self, cue: _Cue, first: int, last: int) -> int | None:
        """How many words lie between a cue and the mention; None where it does not reach it."""
        rule = cue.rule
        if cue.first >= last:
            if rule.reaches == "forward":
                return None
            begin, end = last, cue.first
        elif cue.last <= first or cue.first < first:  # a cue that runs into the name counts up to it
            if rule.reaches == "backward":
                return None
            begin, end = min(cue.last, first), first
        else:
            inside = cue.first == first and cue.last < last and rule.means in _INSIDE
            return 0 if inside and rule.reaches != "backward" else None
        if rule.within is not None and end - begin > rule.within:
            return None
        for stop in self._stops:
            if (
                begin <= stop.first < end
                and rule.means in stop.rule.ends
                and not (stop.rule.weak and rule.strong)
            ):
                return None
        return end - begin


def _name_of(first: int, last: int, rule: Rule, name: tuple[int, int] | None) -> tuple[int, int] | None:
    """The name that a phrase only makes up, as in "gram-negative sepsis"; "old" in "old infarct" says more."""
    if name is None or last > name[1] or (first, last) == name:
        return None
    return None if first == name[0] and rule.means in _INSIDE else name


def _absorbed(cue: _Cue, cues: Sequence[_Cue]) -> bool:
    """Whether a negation or doubt right before covers a word that would affirm: "no complaints of"."""
    means = cue.rule.means
    if means not in ("present", "possible") or cue.rule.holds or cue.rule.reaches == "backward":
        return False
    for other in reversed([other for other in cues if other.last <= cue.first]):
        if other.rule.means == "stop" or cue.first - other.last > _ABSORBED_WITHIN:
            return False
        stronger = other.rule.means == "negated" or (other.rule.means == "possible" and means == "present")
        if stronger and other.rule.reaches != "backward":
            return True
    return False


def _judgement(reaching: dict[str, int], own: bool) -> Judgement:
    experiencer: Experiencer = "patient"
    if "family" in reaching:
        experiencer = "family"
    elif "other" in reaching:
        experiencer = "other"
    polar = min(_POLAR & reaching.keys(), key=lambda means: (reaching[means], means), default=None)
    assertion: Assertion
    if polar == "negated":
        assertion = "negated"
    elif experiencer == "family":
        assertion = "family"
    elif "hypothetical" in reaching:
        assertion = "hypothetical"
    elif polar == "possible":
        assertion = "possible"
    elif "conditional" in reaching:
        assertion = "conditional"
    elif "historical" in reaching:
        assertion = "historical"
    else:
        assertion = "present"
    return Judgement(assertion, experiencer, polar == "present", "now" in reaching, own)
