"""Reads the list of ICD-10-CM codes (``icd10cm-order-….csv``): code, billable, short and long title.

The list has no chapters; a code's kind is the next shorter code that is listed.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from knowledge.ontologies.codes import rows
from knowledge.ontologies.entries import Coding, Entry, Form, Left, Release, Term
from knowledge.ontologies.lines import table_of

COLUMNS = ("code", "billable", "short", "long")
_CODE = re.compile(r"[A-Z][0-9][0-9A-Z][0-9A-Z]{0,4}")
_YEAR = re.compile(r"(19|20)\d\d")


def recognise(head: str) -> bool:
    """Whether the beginning of a file is that of such a list."""
    return tuple(head.split("\n", 1)[0].rstrip("\r").split(",")) == COLUMNS


def describe(path: Path) -> Release:
    """The year is in the file's name."""
    year = _YEAR.search(path.name)
    return Release("icd10cm-order", "ICD-10-CM", year[0] if year else "", int(year[0]) if year else None)


def read(path: Path) -> Iterator[Entry]:
    """The codes as terms.

    Raises:
        ImportFailure: the file cannot be read, or a column is missing.
    """
    line_of_codes: list[str] = []  # the codes above the present one, widest first
    for line, row in table_of(path, COLUMNS, delimiter=","):
        code, title = row["code"].replace(".", "").upper(), row["long"] or row["short"]
        if not _CODE.fullmatch(code) or not title:
            yield Left(f"line {line}", "a row without an ICD-10-CM code or a title")
            continue
        while line_of_codes and not code.startswith(line_of_codes[-1]):
            line_of_codes.pop()
        parent = line_of_codes[-1] if line_of_codes and line_of_codes[-1] != code else None
        yield icd_term(code, title, short=row["short"], parent=parent)
        line_of_codes.append(code)


def icd_term(code: str, title: str, *, short: str = "", parent: str | None = None) -> Term:
    """A code of ICD-10-CM, without its dot, as a term."""
    dotted = with_dot(code)
    forms = (Form(short, "en", "related"),) if short and short != title else ()
    return Term(
        ref=f"ICD10CM:{dotted}",
        en=title,
        type=type_of(code),
        forms=forms,
        codes=(Coding("icd10", dotted, "below"),),
        parents=(f"ICD10CM:{with_dot(parent)}",) if parent else (),
    )


def with_dot(code: str) -> str:
    """``I5022`` as ``I50.22``."""
    return code if len(code) <= 3 else f"{code[:3]}.{code[3:]}"


def type_of(code: str) -> str:
    """The type of what a code means, by its chapter (``icd_chapters.tsv``)."""
    for chapter in rows("icd_chapters.tsv"):
        if chapter["from"] <= code[:3] <= chapter["to"]:
            return chapter["type"]
    return "disease"
