"""Reads the general equivalence mappings from ICD-9 to ICD-10, of diagnoses (CM) and procedures (PCS).

An ICD-9 code becomes a code of the concepts that have the ICD-10 code; approximate unless the mapping says that
the two are equal. Codes that several ICD-10 codes express only together are left.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from knowledge.ontologies.entries import Coded, Coding, Entry, Left, Release
from knowledge.ontologies.lines import table_of

_COLUMNS = ("icd_9", "icd_10", "flags")


def recognise(head: str) -> bool:
    """Whether the beginning of a file is that of a mapping."""
    return tuple(head.split("\n", 1)[0].rstrip("\r").split(",")[:3]) == _COLUMNS


def describe(path: Path) -> Release:
    """Diagnoses or procedures: the file's name says which."""
    part = "pcs" if "pcs" in path.name.lower() else "cm"
    return Release(f"icd9-to-10-{part}", f"General equivalence mapping, ICD-9-CM to ICD-10-{part.upper()}")


def read(path: Path) -> Iterator[Entry]:
    """The ICD-9 codes of ICD-10 codes.

    Raises:
        ImportFailure: the file cannot be read, or a column is missing.
    """
    procedures = "pcs" in path.name.lower()
    nine, ten = ("icd9proc", "icd10pcs") if procedures else ("icd9", "icd10")
    for line, row in table_of(path, _COLUMNS, delimiter=","):
        flags = row["flags"]
        if not (row["icd_9"] and re.fullmatch(r"[01]{3}[0-9]{2}", flags)):
            yield Left(f"line {line}", "a row without an ICD-9 code or its five flags")
        elif flags[1] == "1" or not row["icd_10"]:
            yield Left(row["icd_9"], "the mapping knows no ICD-10 code for it")
        elif flags[2] == "1":
            yield Left(row["icd_9"], "several ICD-10 codes express it only together")
        else:
            scope = "approximate" if flags[0] == "1" else "exact"
            yield Coded(f"{ten}:{row['icd_10']}", Coding(nine, _dotted(row["icd_9"], procedures), scope))


def _dotted(code: str, procedure: bool) -> str:
    whole = 2 if procedure else 4 if code.startswith("E") else 3
    return code if len(code) <= whole or "." in code else f"{code[:whole]}.{code[whole:]}"
