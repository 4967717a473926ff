"""What the documents say of commands, files and dependencies is so."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from agent.cli.program import app

ROOT = Path(__file__).resolve().parents[2]
CLI_PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> Iterator[tuple[str, list[str]]]:
    """Each command's words, and its long flags."""

    def walk(command: object, words: str) -> Iterator[tuple[str, list[str]]]:
        below = getattr(command, "commands", None)
        if below:
            for name, child in below.items():
                yield from walk(child, f"{words} {name}".strip())
        else:
            flags = [flag for p in command.params for flag in p.opts if flag.startswith("--")]  # type: ignore[attr-defined]
            yield words, flags

    yield from walk(get_command(app), "")


def files_in_readme() -> Iterator[str]:
    folders: list[str] = []
    for line in re.findall(r"^[│ ]*[├└]── .*", README, re.MULTILINE):
        depth = line.index("── ") // 4
        name = line[line.index("── ") + 3 :].split()[0]
        folders = [*folders[:depth], name.rstrip("/")]
        yield "/".join(folders)


@pytest.mark.parametrize(("words", "flags"), list(commands()), ids=[words for words, _ in commands()])
def test_each_command_and_flag_is_documented(words: str, flags: list[str]) -> None:
    first, *rest = words.split()
    section = next((s for s in CLI_PAGE.split("\n## ") if s.startswith(f"chartroom {first}")), "")
    assert all(word in section for word in rest), f"docs/cli.md does not explain chartroom {words}"
    assert [flag for flag in flags if flag not in section and flag != "--help"] == []


def test_each_command_is_in_the_readme() -> None:
    missing = [words for words, _ in commands() if f"chartroom {words.split()[0]}" not in README]
    assert missing == []


def test_each_file_of_the_readme_exists() -> None:
    listed = list(files_in_readme())
    assert len(listed) > 30
    assert [path for path in listed if not (ROOT / path).exists()] == []


def test_each_folder_of_code_is_in_the_readme() -> None:
    listed = set(files_in_readme())
    packages = {
        path.parent.relative_to(ROOT).as_posix()
        for room in ("agent", "indexes", "knowledge")
        for path in (*ROOT.glob(f"{room}/__init__.py"), *ROOT.glob(f"{room}/*/__init__.py"))
    }
    assert packages - listed == set()


def test_each_make_target_of_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^make (\w+)", README, re.MULTILINE))
    assert {"run", "test"} <= targets
    assert all(re.search(rf"^{target}:.*##", makefile, re.MULTILINE) for target in targets)


def test_each_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(d for e in project["optional-dependencies"].values() for d in e)]
    names = {re.match(r"[\w.-]+", line).group() for line in wanted}  # type: ignore[union-attr]
    page = Path(ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| ([\w.-]+) \*? ?\|", page, re.MULTILINE)) - {"package"}
    assert explained == names
