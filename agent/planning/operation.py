"""What "since the operation" means: the words for it, and when the open patient's last recorded operation was.

Operations are procedures of ICD-10-PCS sections 0 and 1 (medical and surgical, obstetrics) by an open or a
percutaneous endoscopic approach (fifth character 0, 4 or F), and those of ICD-9-CM volume 3, categories 00 to 86;
punctures, catheters, endoscopies, imaging and transfusions are none. Sources: CMS, ICD-10-PCS reference manual, 2016,
approaches; ICD-9-CM volume 3, tabular list.
"""

import re
from collections.abc import Iterable
from contextlib import closing

from agent.answer import Language
from agent.planning.link import TimeLink
from agent.planning.phrases import phrase
from agent.planning.times import half_width
from agent.query.model import Window
from knowledge.store.store import RecordStore

_SINCE = re.compile(
    r"\b(?:since|after|following)\s+(?:(?:the|her|his|their|that|this|last|latest)\s+){0,2}(?:operation|surgery|op)\b|"
    r"\bpost-?\s?op(?:erative(?:ly)?)?\b|"
    r"(?:自|从)?(?:上次|最近一次|这次|本次)?手?术(?:以来|之后|以后|后)(?:以来|至今)?(?!第?[\d一二三两])"
)
_CATEGORY_BEHIND = 87  # of ICD-9-CM volume 3: from here on it is no operation
_CODE_PCS = 7  # characters
_APPROACHES = "04F"


def operations(
    question: str,
    language: Language,
    store: RecordStore,
    subject_id: int | None,
    now: str,
    taken: Iterable[tuple[int, int]],
) -> tuple[TimeLink, ...]:
    """The mentions of "since the operation", as the time from the patient's last one on.

    Args:
        question: as cleaned.
        language: of what is said about it.
        store: whose procedures are looked up.
        subject_id: the patient; without one nothing is found.
        now: later procedures do not count.
        taken: places that mean something else already.
    """
    places = list(taken)
    found = [
        match.span()
        for match in _SINCE.finditer(half_width(question))
        if all(match.end() <= start or match.start() >= end for start, end in places)
    ]
    if not found or subject_id is None or "procedures_icd" not in store.tables:
        return ()
    last = _last(store, subject_id, now)
    links = []
    for start, end in found:
        said = question[start:end]
        if last is None:
            text = phrase(language, "no_operation", said=said)
            links.append(TimeLink(start, end, said, Window(start=now, said=said), None, text))
        else:
            title, time = last
            text = phrase(language, "operation", said=said, title=title, time=time)
            links.append(TimeLink(start, end, said, Window(start=time, said=said), None, text))
    return tuple(links)


def is_operation(code: str) -> bool:
    """Whether a procedure code is of an operation."""
    plain = code.rpartition("|")[2].replace(".", "").strip().upper()  # the store puts "icd10|" before it
    if len(plain) == _CODE_PCS:
        return plain[0] in "01" and plain[4] in _APPROACHES
    return plain.isdigit() and int(plain[:2]) < _CATEGORY_BEHIND


def _last(store: RecordStore, subject_id: int, now: str) -> tuple[str, str] | None:
    with closing(store.connect()) as connection:
        rows = connection.execute(
            "SELECT p.icd_code, d.long_title, p.charttime FROM procedures_icd p "
            "LEFT JOIN d_icd_procedures d ON d.icd_code = p.icd_code "
            "WHERE p.subject_id = ? AND p.charttime <= ? ORDER BY p.charttime DESC",
            (subject_id, now),
        )
        for code, title, time in rows:
            if is_operation(str(code)):
                return str(title or code), str(time)
    return None
