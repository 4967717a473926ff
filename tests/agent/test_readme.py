"""The Python example of the README does what it says."""

import re
import shutil
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_python_example_runs_and_cites(
    hospital_store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    shutil.copy(hospital_store.path, tmp_path / "hospital.sqlite")
    monkeypatch.chdir(tmp_path)
    exec(compile(example.group(1), "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert "1.9 mg/dL" in said
    assert "1 row labevents (4,)" in said
