"""What a question restricts and a plan script leaves out: a name, a time, a number, a name that nothing linked.

An answer without it is about something else ("given zolgensma" is not "given anything"), so such a script is not
followed. What says the same twice, or is the choice that the plan answers ("male or female?"), is left out rightly.
"""

import re
from collections.abc import Collection, Iterator, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from agent.bundled.lexicon import Lexicon, words
from agent.bundled.pointers import Pointers
from agent.planning.link import Link
from agent.planning.vocabulary import is_common
from agent.query.model import Concept, Window

# Places of a delexicalised question where a drug, a diagnosis or a procedure stands.
_NAMED = re.compile(
    r"\b(?:given|gave|give|got|get|gets|received?|receiving|prescribed|administered|takes?|taken|taking|on|"
    r"(?:doses?|levels?|results?|values?|history|hx) of|diagnosed with|with|undergo(?:ne)?|underwent)"
    r" (?:(?:an?|any|the|some|his|her|their) )?(?P<name>[a-z][a-z-]{3,})\b|"
    r"(?:用过?|服过?|服用过?|使用过?|注射过?|输过?|接受过?|诊断为|患有|得过)"
    r"(?P<han>[\u4e00-\u9fff]{3,}?)(?=的|吗|了|之|治疗|<v|$)"
)
# Those of them where it can be nothing but a drug; a mention right behind belongs to it ("诺西那生<v1>" of 诺西那生钠).
_TAKEN = re.compile(
    r"\b(?:given|gave|receiv(?:ed?|ing)|prescribed|administered|takes?|taken|taking|on)"
    r" (?:(?:an?|any|the|some|his|her|their) )?(?:(?P<name>[a-z][a-z-]{3,})\b|(?=<v))|"
    r"(?:用过?|在用|服过?|吃|服用过?|使用过?|注射过?|输过?)"
    r"(?:(?P<han>[\u4e00-\u9fff]{3,}?)(?=的|吗|了|之|治疗|<v|$)|(?=<v))",
    re.IGNORECASE,
)
_BEHIND = re.compile(r"<v(\d)>")
_CODE = re.compile(r"(?<![\w<.])[a-z]+\d\w*\b(?!>)", re.IGNORECASE)  # "cd4", or what looks like a placeholder
_WORD = re.compile(r"(?<![\w<.'/-])[a-z]{4,}(?![\w>.'/-])")
# Scripts that say with these which stay is meant: "同一次住院" is no stay of its own.
_STAYS = frozenset(
    {"status=ended", *(f"relation=same_admission{order}" for order in ("", "_before", "_after"))}
)
_SLIPS = 2  # a word so near to one that was learnt is that one, misspelt


def left_out(
    text: str, tokens: Sequence[str], used: Collection[str], pointers: Pointers, lexicon: Lexicon
) -> str | None:
    """The first words that a script does not honour; ``None`` where it honours all.

    Args:
        text: the delexicalised question.
        tokens: of the script.
        used: the pointers that it follows, with the places of numbers that it writes out.
        pointers: everything that the question names.
        lexicon: the words that are no names.
    """
    # Of a plan of everyone that names nothing, a strange word is what it should have named ("are vegetarians").
    strange = () if used or not text.startswith("<many>") else unread(text, lexicon)
    return next(
        (said for said in (*_unused(tokens, used, pointers), *_unlinked(text, lexicon), *strange)), None
    )


def unread(text: str, lexicon: Lexicon) -> tuple[str, ...]:
    """English words of a delexicalised question that mean nothing to a planner trained on ``lexicon``."""
    return tuple(dict.fromkeys(word for word in _WORD.findall(text) if not _is_known(word, lexicon)))


def drug_not_held(text: str, pointers: Pointers, lexicon: Lexicon) -> Concept | None:
    """The drug that a question names and the store has nothing of: nothing was linked to it, or no value that is used.

    Args:
        text: the delexicalised question.
        pointers: everything that the question names.
        lexicon: the words that are no names.
    """
    for found in _TAKEN.finditer(text):
        name = found["name"] or found["han"] or ""
        behind = _BEHIND.match(text, found.end())
        link = pointers.linked.values[int(behind[1]) - 1] if behind else None
        if name and not _is_known(name.lower(), lexicon):
            said = name + (link.text if link else "")
            return Concept(values=(said,), said=said)
        if not name and link is not None and not any(candidate.count for candidate in link.candidates):
            values = dict.fromkeys(
                c.value for c in link.candidates if (c.domain, c.field) == ("drug", "name")
            )
            return Concept(values=tuple(values), said=link.text) if values else None
    return None


def _unused(tokens: Sequence[str], used: Collection[str], pointers: Pointers) -> Iterator[str]:
    linked = pointers.linked
    kept = [link for place, link in enumerate(linked.values, 1) if f"v{place}" in used]
    for place, link in enumerate(linked.values, 1):
        if (
            f"v{place}" not in used
            and not _is_answer(link, tokens)
            and not any(_says(one, link) for one in kept)
        ):
            yield link.text
    periods = [time for time in linked.times if time.window is not None]
    windows = [_bounds(window) for place, window in enumerate(pointers.periods, 1) if f"t{place}" in used]
    yield from (
        time.text
        for place, time in enumerate(periods, 1)
        if f"t{place}" not in used and _bounds(time.window) not in windows
    )
    named = [time for time in linked.times if time.window is None and time.encounter is not None]
    stays = [stay for place, stay in enumerate(pointers.stays, 1) if f"e{place}" in used]
    yield from (
        time.text
        for place, time in enumerate(named, 1)
        if f"e{place}" not in used and time.encounter not in stays and not _STAYS & set(tokens)
    )
    numbers = linked.numbers
    counted = {numbers[place - 1][2] for place in pointers.places("n") if f"n{place}" in used}
    counted |= {pointers.number(token)[0] for token in tokens if token.endswith("+9")}  # "the 20s (20 to 29)"
    for place, (_, _, value, unit) in enumerate(numbers, 1):
        if f"n{place}" not in used and value not in counted:
            yield f"{value:g} {unit or ''}".strip()


def _bounds(window: Window | None) -> tuple[str | None, str | None]:
    """When a window begins and ends, whatever the words were."""
    return (None, None) if window is None else (window.start, window.end)


def _says(one: Link, other: Link) -> bool:
    """Whether a mention holds another one or means the same: "ED (emergency room)", "creatinine, urine"."""
    meant = {(c.domain, c.field, c.value) for c in one.candidates}
    again = any((c.domain, c.field, c.value) in meant for c in other.candidates)
    return again or other.text.casefold() in one.text.casefold()


def _is_answer(link: Link, tokens: Sequence[str]) -> bool:
    """Whether the plan lists the field that a name is a value of, or the name is but a kind of note."""
    fields = {f".{candidate.field}" for candidate in link.candidates}
    return (
        not link.candidates or bool(fields & set(tokens)) or all(c.domain == "note" for c in link.candidates)
    )


def _unlinked(text: str, lexicon: Lexicon) -> Iterator[str]:
    """Words that stand where a name stands, and codes, that are neither linked nor words of questions."""
    yield from _CODE.findall(text)
    for found in _NAMED.finditer(text):
        name = found["name"] or found["han"]
        if not _is_known(name, lexicon):
            yield name


def _is_known(name: str, lexicon: Lexicon) -> bool:
    """Whether a word, or one near to it, is in the lexicon or common; Chinese is not misspelt letter by letter."""
    if any(map(lexicon.answerable.get, words(name))) or is_common(name):
        return True
    limit = min(_SLIPS, len(name) // 4)
    near = process.extractOne(name, list(lexicon.answerable), scorer=OSA.distance, score_cutoff=limit)
    return name.isascii() and near is not None
