"""Reading the small tables of this package."""

from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=16)
def table(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of a table of this package, without its header and without the last column, the source."""
    lines = files("knowledge.mentions").joinpath(f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    return tuple(tuple(line.split("\t")[:-1]) for line in lines[1:])
