"""``chartroom mentions``: what texts mention, with assertion, experiencer and time."""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.progress import track

from agent.cli.terminal import err
from agent.paths import knowledge_graph_folder
from knowledge.errors import ConfigError
from knowledge.graph import ensure
from knowledge.mentions import Mention, MentionFinder, NameTable

_SHAPE = '{"id", "text", "language"?, "targets"?}'


class Passage(BaseModel):
    """One line of the input.

    Attributes:
        id: handed through.
        text: what is read.
        language: of its prose; each sentence is read by its own script where it is not given.
        targets: strings to judge wherever they occur, whether or not they are concepts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | int
    text: str
    language: Literal["en", "zh"] | None = None
    targets: tuple[str, ...] = ()


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("mentions")(mentions_command)


def mentions_command(
    passages: Annotated[Path, typer.Argument(metavar="IN.jsonl", help=f"Lines of {_SHAPE}.")],
    mentions: Annotated[
        Path, typer.Argument(metavar="OUT.jsonl", help="Lines of id and mentions; written anew.")
    ],
) -> None:
    """Find diseases, drugs, findings and so on in texts, and what each text says of them.

    A line that is no passage is named and left out; the exit code is then 1.
    """
    lines = _lines(passages)
    _check_output(passages, mentions)
    with ensure(knowledge_graph_folder()) as graph:
        finder = MentionFinder.load(NameTable.of_graph(graph))
    faults = 0
    partial = mentions.with_name(f"{mentions.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as written:
            for number, line in track(lines, description="texts", console=err()):
                try:
                    passage = Passage.model_validate_json(line)
                except ValidationError as error:
                    faults += 1
                    err().print(
                        f"{passages}, line {number}: {_fault(error)}; expected {_SHAPE}; left out.",
                        markup=False,
                        soft_wrap=True,
                    )
                    continue
                found = finder.find(passage.text, passage.language, passage.targets)
                entry = {"id": passage.id, "mentions": [_entry(mention) for mention in found]}
                written.write(json.dumps(entry, ensure_ascii=False) + "\n")
        os.replace(partial, mentions)
    finally:
        partial.unlink(missing_ok=True)
    if faults:
        err().print(f"{faults} lines of {passages} are no passages and were left out.", markup=False)
        raise typer.Exit(1)


def _fault(error: ValidationError) -> str:
    """What is wrong with a line, without any of it: a key that is not ours may be a piece of a record, too."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return "no JSON"
    key = str(first["loc"][0]) if first["loc"] else ""
    if key not in Passage.model_fields:
        return "a key that is not known" if key else "no object"
    return f"{key!r} is missing" if first["type"] == "missing" else f"{key!r} is not as it should be"


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. It must be JSONL in UTF-8.") from error
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _check_output(passages: Path, mentions: Path) -> None:
    if not mentions.parent.is_dir():
        raise ConfigError(f"There is no folder {mentions.parent}; make it, or choose another output.")
    if mentions.exists() and mentions.samefile(passages):
        raise ConfigError(f"{mentions} is the input itself; choose another output.")


def _entry(mention: Mention) -> dict[str, object]:
    entry = asdict(mention)
    if not mention.candidates:
        del entry["candidates"]
    return entry
