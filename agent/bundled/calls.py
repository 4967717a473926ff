"""Which words of a question call for which token of its script, counted over the training corpus.

"Survival" stands in questions whose script has ``survival``, "allergies" in those about ``allergy``. A script
that lacks what a word calls for probably asks something else; the less likely it is then thought to be.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from agent.bundled.lexicon import words

CALLS_FILE = Path(__file__).with_name("planner.calls.tsv")
_SEEN = 4  # questions that a word has to stand in
_SHARE = 0.9  # of them whose script has the token
_LIFT = 2.0  # times as many as of all questions
_KEPT = 3
_DOUBT = 3.0  # questions without the token that are taken to exist beside those that were seen
_POINTER = re.compile(r"[vten]\d\S*|\d+|[a-z_]+=|\||\)|subject\)")
# Tokens that say how a script is built, not what is asked; a word that goes with them says little.
_STRUCTURE = frozenset(
    {"one", "all", "rows", "pick", "events", "where", "distinct=false", "show_count=false", "="}
)


@dataclass(frozen=True, slots=True)
class Calls:
    """For each word, the tokens that it calls for, each with how strongly, 0 to 1."""

    of: Mapping[str, Mapping[str, float]]

    @classmethod
    def learnt(cls, samples: Iterable[tuple[str, str]]) -> "Calls":
        """Count over delexicalised questions and their scripts."""
        everywhere: Counter[str] = Counter()
        seen: Counter[str] = Counter()
        together: defaultdict[str, Counter[str]] = defaultdict(Counter)
        total = 0
        for text, plan in samples:
            tokens = set(plain(plan.split()))
            total += 1
            everywhere.update(tokens)
            for word in set(words(text)):
                seen[word] += 1
                together[word].update(tokens)
        found: dict[str, Mapping[str, float]] = {}
        for word, count in seen.items():
            if count < _SEEN:
                continue
            called = {
                token: round(n / (count + _DOUBT), 3)
                for token, n in together[word].items()
                if token not in _STRUCTURE
                and n / count >= _SHARE
                and n / count >= _LIFT * everywhere[token] / total
            }
            if called:
                found[word] = dict(sorted(called.items(), key=lambda item: (-item[1], item[0]))[:_KEPT])
        return cls(found)

    @classmethod
    def load(cls, path: Path = CALLS_FILE) -> "Calls":
        """Read what :meth:`save` wrote."""
        found: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            word, token, share = line.split("\t")
            found[word][token] = float(share)
        return cls(found)

    def save(self, path: Path) -> None:
        """Write a table, sorted by word."""
        rows = [f"{w}\t{t}\t{share}\n" for w in sorted(self.of) for t, share in self.of[w].items()]
        path.write_text("word\ttoken\tshare\n" + "".join(rows), encoding="utf-8")

    def unheard(self, text: str, tokens: Sequence[str]) -> float:
        """How strongly words call for what a script lacks: the strongest and half of the next, 0 to 1.5."""
        have = set(plain(tokens))
        missing = sorted(
            (
                max(share for token, share in called.items() if token not in have)
                for word in set(words(text))
                if (called := self.of.get(word)) and not have >= set(called)
            ),
            reverse=True,
        )
        return sum(share / (1 + place) for place, share in enumerate(missing[:2]))


def plain(tokens: Sequence[str]) -> Iterable[str]:
    """Tokens without pointers, numbers and signs: a field is the same listed, grouped by or restricted to."""
    return (token.strip(".(:") for token in tokens if not _POINTER.fullmatch(token))


@cache
def calls() -> Calls:
    """Those that come with the planner."""
    return Calls.load()
