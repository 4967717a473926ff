"""What others wrote (names, titles, ids, file names) is shown as it is: no markup, no control of the terminal."""

import io

import pytest
from rich.table import Table

from agent.cli import main
from agent.cli.terminal import out
from agent.paths import home
from knowledge.documents import Document, Library

HOSTILE = "A\x1b[31m[red]B[/red][/nothing] \x1b]0;title\x07:heart:\x9b2J ${x}"
SHOWN = "A[31m[red]B[/red][/nothing] ]0;title:heart:2J ${x}"


@pytest.mark.parametrize("in_table", [True, False])
def test_a_hostile_string_is_shown_to_the_letter(in_table: bool) -> None:
    console = out()
    console.file = written = io.StringIO()
    console.width = 200
    table = Table("Title")
    table.add_row(HOSTILE)
    console.print(table if in_table else HOSTILE)
    assert SHOWN in written.getvalue()
    assert not set("\x1b\x07\x9b") & set(written.getvalue())


def test_the_catalogue_of_documents_shows_hostile_titles_and_ids(capsys: pytest.CaptureFixture[str]) -> None:
    library = Library(home() / "knowledge" / "library.sqlite")
    list(library.put([Document("../'[/x]\x1b[2J", HOSTILE, "Text.", edition="[bold]")]))
    assert main(["knowledge", "documents"]) == 0
    shown = capsys.readouterr().out
    assert "[/x]" in shown
    assert "[bold]" in shown
    assert "\x1b" not in shown


def test_an_error_shows_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knowledge", "show", "\x1b[31m[/x]nothing"]) == 1
    shown = capsys.readouterr().err
    assert "[/x]nothing" in shown
    assert "\x1b" not in shown
