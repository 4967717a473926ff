"""Documents from files: every format, and every way a file can be bad."""

import gzip
import io
import json
import tracemalloc
import zipfile
from pathlib import Path
from time import process_time

import docx
import pypdf
import pytest

from knowledge.documents import Library
from knowledge.documents.files import Document, Rejected, documents
from knowledge.documents.text import extract
from knowledge.errors import ImportFailure
from knowledge.mentions.sentences import sections


def only(path: Path) -> Document:
    (found,) = documents(path)
    assert isinstance(found, Document)
    return found


def refused(path: Path) -> Rejected:
    (found,) = documents(path)
    assert isinstance(found, Rejected)
    return found


def test_front_matter_names_edition_and_what_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "guideline.md"
    file.write_text(
        "---\nid: hf\ntitle: Heart failure\nedition: 2022\nsupersedes: hf-2017\n---\n# Drugs\nUse four.\n"
    )
    found = only(file)
    assert (found.doc_id, found.title, found.edition, found.supersedes) == (
        "hf",
        "Heart failure",
        "2022",
        "hf-2017",
    )
    assert found.language == "en"


def test_without_front_matter_the_first_heading_is_the_title(tmp_path: Path) -> None:
    file = tmp_path / "ward" / "肺炎.md"
    file.parent.mkdir()
    file.write_text("# 社区获得性肺炎诊治\n\n## 治疗\n首选阿莫西林。\n")
    found = only(tmp_path)
    assert (found.doc_id, found.title, found.language) == ("ward/肺炎", "社区获得性肺炎诊治", "zh")


def test_headings_of_word_and_html_become_sections(tmp_path: Path) -> None:
    word = docx.Document()
    word.add_heading("Work-up", level=2)
    word.add_paragraph("Measure troponin.")
    word.save(str(tmp_path / "a.docx"))
    (tmp_path / "b.html").write_text("<h1>Care</h1><p>Text.</p><h2>Work-up</h2><p>Measure troponin.</p>")
    for found in documents(tmp_path):
        assert isinstance(found, Document)
        assert "Work-up" in [section.title for section in sections(found.text)]


def test_json_lines_give_a_document_each_and_bad_lines_their_number(tmp_path: Path) -> None:
    lines = [
        '{"id": "a", "question": "What is gout?", "answer": "Crystals."}',
        "{",
        '{"id": "b", "answer": " "}',
        "[]",
    ]
    with gzip.open(tmp_path / "faq.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines))
    good, *bad = documents(tmp_path / "faq.jsonl.gz")
    assert isinstance(good, Document)
    assert (good.doc_id, good.title, good.text) == ("faq/a", "What is gout?", "Crystals.")
    assert [(one.line, one.reason[:8]) for one in bad if isinstance(one, Rejected)] == [
        (2, "is no JS"),
        (3, "has no t"),
        (4, "is no JS"),
    ]


def test_a_cut_archive_gives_what_it_holds_and_says_where_it_ends(tmp_path: Path) -> None:
    packed = gzip.compress(
        ("\n".join(json.dumps({"id": i, "text": f"{i * 7919}"}) for i in range(5000))).encode()
    )
    (tmp_path / "cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    *good, last = documents(tmp_path / "cut.jsonl.gz")
    assert good and isinstance(last, Rejected) and "damaged" in last.reason


def test_a_pdf_without_text_or_with_a_password_is_rejected(tmp_path: Path) -> None:
    for name, password in (("blank.pdf", None), ("locked.pdf", "secret")):
        writer = pypdf.PdfWriter()
        writer.add_blank_page(100, 100)
        if password:
            writer.encrypt(password, algorithm="RC4-128")
        buffer = io.BytesIO()
        writer.write(buffer)
        (tmp_path / name).write_bytes(buffer.getvalue())
    assert "OCR" in refused(tmp_path / "blank.pdf").reason
    assert "password" in refused(tmp_path / "locked.pdf").reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b""),
        ("a.md", b"---\ntitle: [\n---\nx"),
        ("a.txt", b"\xff\xfe\x00"),
        ("a.docx", b"PK"),
        ("a.pdf", b"%PDF"),
    ],
)
def test_a_bad_file_is_rejected_with_a_reason(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert refused(tmp_path / name).reason


def test_a_path_without_documents_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImportFailure, match="no document"):
        list(documents(tmp_path))
    with pytest.raises(ImportFailure, match="nothing at"):
        list(documents(tmp_path / "missing"))


def test_a_gzip_bomb_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl.gz"
    with gzip.open(file, "wb", 1) as packed:
        packed.write(b'{"id": 1, "text": "Take it."}\n')
        for _ in range(70):
            packed.write(b"\n" * (1 << 20))
    first, rest = documents(file)
    assert isinstance(first, Document)
    assert isinstance(rest, Rejected)
    assert "unpacks to more than" in rest.reason


def test_a_line_without_end_is_left_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("knowledge.documents.files._LONGEST_LINE", 100)
    file = tmp_path / "long.jsonl"
    file.write_text('{"text": "' + "x" * 1000 + '"}\n{"id": 2, "text": "Short."}\n')
    long, short = documents(file)
    assert isinstance(long, Rejected)
    assert (long.line, isinstance(short, Document)) == (1, True)


def test_damage_within_a_gzip_file_is_a_rejected_line(tmp_path: Path) -> None:
    file = tmp_path / "torn.jsonl.gz"
    data = bytearray(gzip.compress(b'{"text": "abc"}\n' * 1000))
    data[15:40] = bytes(25)
    file.write_bytes(data)
    assert isinstance([*documents(file)][-1], Rejected)


def test_a_link_out_of_the_folder_is_not_followed_and_a_circle_of_links_ends(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("Not for the library.")
    inside = tmp_path / "guidelines"
    inside.mkdir()
    (inside / "own.md").write_text("# Own\nText.\n")
    (inside / "own-too.md").symlink_to(inside / "own.md")
    (inside / "stolen.txt").symlink_to(secret)
    (inside / "circle").symlink_to(inside, target_is_directory=True)
    (inside / "self.md").symlink_to(inside / "self.md")
    found = {one.origin: one for one in documents(inside)}
    assert sorted(found) == ["own-too.md", "own.md", "stolen.txt"]
    assert isinstance(found["stolen.txt"], Rejected)


def test_a_file_that_vanishes_meanwhile_is_rejected(tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(f"# {name}\nText.\n")
    reading = documents(tmp_path)
    next(reading)
    (tmp_path / "b.md").unlink()
    assert isinstance(next(reading), Rejected)


def test_a_docx_that_unpacks_to_far_too_much_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bomb.docx"
    docx.Document().save(str(file))
    monkeypatch.setattr("knowledge.documents.text.MAX_XML_BYTES", 1000)
    assert "unpacks to more than" in refused(file).reason


def test_documents_of_one_import_with_the_same_id_are_all_kept(tmp_path: Path) -> None:
    lines: list[dict[str, str | None]] = [
        {"id": "1-1", "text": text} for text in ("Adults.", "Children.", "Elders.")
    ]
    lines.append({"id": None, "text": "Nobody."})
    (tmp_path / "faq.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "leaflet.md").write_text("For patients.")
    (tmp_path / "leaflet.txt").write_text("For nurses.")
    found = {one.doc_id: one.text for one in documents(tmp_path) if isinstance(one, Document)}
    assert found == {
        "faq/1-1": "Adults.",
        "faq/1-1~2": "Children.",
        "faq/1-1~3": "Elders.",
        "faq/4": "Nobody.",
        "leaflet": "For patients.",
        "leaflet~2": "For nurses.",
    }


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"id": 2, "text": "half \ud800 a character"}),
        json.dumps({"id": 2, "text": "fine", "title": "\udc00"}),
        json.dumps({"id": "\ud800", "text": "fine"}),
        json.dumps({"id": "s", "text": "fine", "supersedes": "faq/s"}),
        '{"id": 2, "text": %s}' % ("9" * 5000),
        "[" * 100_000,
        '{"id": 2, "text": "a\\u0000b"}',
    ],
)
def test_a_hostile_line_is_rejected_alone(tmp_path: Path, line: str) -> None:
    path = tmp_path / "faq.jsonl"
    path.write_text(f'{{"id": 1, "text": "before"}}\n{line}\n{{"id": 3, "text": "after"}}\n')
    first, rejected, last = documents(path)
    assert isinstance(rejected, Rejected) and rejected.line == 2
    assert [one.text for one in (first, last) if isinstance(one, Document)] == ["before", "after"]
    put = list(
        Library(tmp_path / "library.sqlite").put(one for one in (first, last) if isinstance(one, Document))
    )
    assert put == ["added", "added"]


@pytest.mark.parametrize("sign", ["<a ", "<a b='", "<!--", "<![CDATA[", "<div>", "<", "&"])
def test_a_page_of_unclosed_signs_is_read_in_no_time(sign: str) -> None:
    began = process_time()
    extract(f"<h1>Care</h1>{sign * 200_000}".encode(), "html")
    assert process_time() - began < 5  # what is quadratic takes minutes


def test_html_keeps_figures_with_signs_and_drops_scripts_and_titles() -> None:
    page = b"<title>t</title><p>eGFR <30 &amp; K&nbsp;>5 <script>x</script><img src=x onerror=y></p><td>a<td>b<p>c"
    assert extract(page, "html") == "eGFR <30 & K >5\na\tb\nc"
    with pytest.raises(ImportFailure, match="NUL"):
        extract(b"<p>a\0b", "html")


def test_a_docx_that_lies_about_its_size_is_refused_without_unpacking_it(tmp_path: Path) -> None:
    size = 80_000_000
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"A" * size)
    true, told = size.to_bytes(4, "little"), (1000).to_bytes(4, "little")
    (tmp_path / "bomb.docx").write_bytes(packed.getvalue().replace(true, told))
    tracemalloc.start()
    try:
        rejected = refused(tmp_path / "bomb.docx")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert rejected.reason == "is a damaged DOCX"
    assert peak < size / 4
