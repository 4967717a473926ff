"""Note files become notes to the letter; what cannot be read says why."""

import io
import json
import random
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import docx
import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from knowledge.documents.text import MAX_BYTES, decode, extract
from knowledge.errors import ImportFailure
from knowledge.importers import load
from knowledge.importers.language import language_of
from knowledge.importers.notes import NotesReader
from knowledge.importers.records import Accepted, Item, Ref, Rejected, Skipped
from knowledge.store.store import RecordStore

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "notes"


def read(folder: Path) -> list[Item]:
    reader = NotesReader()
    return [item for file in reader.files(folder) for item in reader.read(file)]


def manifest(folder: Path, *entries: dict[str, Any]) -> Path:
    text = "".join(json.dumps(entry) + "\n" for entry in entries)
    (folder / "manifest.jsonl").write_text(text)
    return folder


def pdf(text: str | None, password: str | None = None) -> bytes:
    writer = PdfWriter()
    page = writer.add_blank_page(300, 300)
    if text is not None:
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = content
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def word() -> bytes:
    document = docx.Document()
    document.add_paragraph("Vitals today")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "HR", "84"
    document.add_paragraph("出院")
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


# Text of documents


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_chinese_text_is_decoded_in_any_usual_encoding(encoding):
    text = "患者无发热，体温36.5℃。WBC 5.1。"
    assert decode(text.encode(encoding)) == text


def test_an_encoding_that_is_not_known_is_refused_rather_than_guessed():
    latin = "naïve patient, café".encode("latin-1")
    with pytest.raises(ImportFailure, match="save it as UTF-8"):
        decode(latin)
    assert decode(latin, "latin-1") == "naïve patient, café"
    with pytest.raises(ImportFailure, match="encoding"):
        decode(latin, "no-such-encoding")


def test_text_is_kept_to_the_letter_except_for_line_ends():
    # A decomposed accent, a full-width digit, double and trailing spaces: citations count them all.
    text = "cafe\u0301  １ \r\nnext\rlast \n"
    assert extract(text.encode(), "text") == "cafe\u0301  １ \nnext\nlast \n"


def test_pdf_and_docx_give_their_text():
    assert extract(pdf("No pleural effusion"), "pdf").strip() == "No pleural effusion"
    assert extract(word(), "docx") == "Vitals today\nHR\t84\n出院"


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        (pdf(None), "pdf", "no text: needs OCR"),
        (pdf("x", password="p"), "pdf", "password"),
        (pdf("x")[:60], "pdf", "damaged PDF"),
        (word()[:200], "docx", "damaged DOCX"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 100, "docx", "password"),
        (b"a\0b", "text", "NUL"),
        (b" \n", "text", "no text"),
        (b"x" * (MAX_BYTES + 1), "text", "larger than"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_document_that_cannot_be_read_says_why(data, kind, reason):
    with pytest.raises(ImportFailure, match=reason):
        extract(data, kind)


@pytest.mark.parametrize(
    ("whole", "kind"), [(pdf("No effusion"), "pdf"), (word(), "docx")], ids=["pdf", "docx"]
)
def test_damage_anywhere_in_a_document_is_an_import_failure_and_nothing_else(whole, kind):
    chance = random.Random(7)
    for _ in range(60):
        damaged = bytearray(whole)
        for place in chance.sample(range(len(damaged)), 12):
            damaged[place] = chance.randrange(256)
        with suppress(ImportFailure):
            extract(bytes(damaged), kind)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("No chest pain. Seen with Dr. 王.", "en"),
        ("患者 WBC 12.3, CRP 45 mg/L, 予 ceftriaxone 2 g ivgtt qd", "zh"),
        ("37.2 / 84", None),
    ],
)
def test_language_follows_the_share_of_chinese_characters(text, language):
    assert language_of(text) == language


# Manifests


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("manifest.csv", "file,patient,type,time\na.txt,p1,progress,2100-01-02 03:04\n"),
        ("manifest.tsv", "\ufefffile\tpatient\ttype\ttime\na.txt\tp1\tprogress\t2100/01/02 03:04:00\n"),
        (
            "manifest.jsonl",
            '{"file": "a.txt", "patient": "p1", "type": "progress", "time": "2100-01-02T03:04:00"}\n',
        ),
        ("manifest.yaml", "- file: a.txt\n  patient: p1\n  type: progress\n  time: 2100-01-02 03:04:00\n"),
    ],
)
def test_every_form_of_manifest_means_the_same(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    (tmp_path / "a.txt").write_text("Afebrile.")
    (item,) = read(tmp_path)
    assert isinstance(item, Accepted)
    (row,) = item.rows
    assert row.source_id == "a.txt"
    assert row.values["subject_id"] == Ref("patients", "p1")
    assert (row.values["charttime"], row.values["note_type"]) == ("2100-01-02 03:04:00", "progress")
    assert (row.values["text"], row.values["language"]) == ("Afebrile.", "en")


def test_a_chinese_manifest_in_gb18030_is_read(tmp_path):
    (tmp_path / "manifest.csv").write_bytes("file,patient,title\n病程.txt,p1,病程记录\n".encode("gb18030"))
    (tmp_path / "病程.txt").write_bytes("患者无发热。".encode("gb18030"))
    (item,) = read(tmp_path)
    assert isinstance(item, Accepted)
    assert item.rows[0].values["title"] == "病程记录"
    assert item.rows[0].values["text"] == "患者无发热。"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"patient": "p1"}, "file: is missing"),
        ({"file": "gone.txt", "patient": "p1"}, "does not exist"),
        ({"file": "../outside.txt", "patient": "p1"}, "outside"),
        ({"file": "/etc/hostname", "patient": "p1"}, "outside"),
        ({"file": "scan.png", "patient": "p1"}, "suffix"),
        ({"file": "a.txt"}, "one of them must be given"),
        ({"file": "a.txt", "subject_id": 7, "patient": "p1"}, "only one"),
        ({"file": "a.txt", "subject_id": "seven"}, "whole number"),
        ({"file": "a.txt", "patient": "p1", "time": "yesterday"}, "time:"),
        ({"file": "a.txt", "patient": "p1", "language": "fr"}, "language:"),
        ({"file": "a.txt", "patient": "p1", "ward": "3"}, "unknown column"),
        ({"file": "a.txt", "patient": "p1", "encoding": "ascii"}, "encoding"),
        (["a.txt"], "not a JSON object"),
    ],
)
def test_an_entry_that_breaks_a_rule_is_rejected_with_its_line(tmp_path, entry, reason):
    folder = tmp_path / "notes"
    folder.mkdir()
    (tmp_path / "outside.txt").write_text("secret-word")
    (folder / "a.txt").write_text("Température 37, secret-word.")
    (folder / "b.txt").write_text("Afebrile.")
    first, second, *_ = read(manifest(folder, {"file": "b.txt", "patient": "p1"}, entry))
    assert isinstance(first, Accepted)
    assert isinstance(second, Rejected)
    assert second.line == 2
    assert reason in second.reason
    assert "secret" not in second.reason


def test_a_link_does_not_lead_out_of_the_folder(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (tmp_path / "outside.txt").write_text("secret")
    (folder / "a.txt").symlink_to(tmp_path / "outside.txt")
    (item, *_) = read(manifest(folder, {"file": "a.txt", "patient": "p1"}))
    assert isinstance(item, Rejected)


def test_a_file_named_twice_loads_once(tmp_path):
    (tmp_path / "a.txt").write_text("Afebrile.")
    folder = manifest(tmp_path, {"file": "a.txt", "patient": "p1"}, {"file": "./a.txt", "patient": "p2"})
    first, second = read(folder)
    assert isinstance(first, Accepted)
    assert isinstance(second, Rejected)
    assert "line 1" in second.reason


def test_files_that_the_manifest_does_not_name_are_counted(tmp_path):
    (tmp_path / "ward").mkdir()
    for name in ("a.txt", "b.txt", "ward/c.txt", "scan.png"):
        (tmp_path / name).write_text("x")
    found = read(manifest(tmp_path, {"file": "a.txt", "patient": "p1"}))
    reason = "is not named in the manifest"
    assert found[1:] == [Skipped("file (.png)", reason, 1), Skipped("file (.txt)", reason, 2)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("manifest.csv", "document,who\na.txt,p1\n"),
        ("manifest.csv", "file,patient,ward\na.txt,p1,3\n"),
        ("manifest.csv", 'file,patient\n"a.txt,p1\n'),
        ("manifest.yaml", "file: a.txt\n"),
        ("manifest.yaml", "- [\n"),
    ],
)
def test_a_manifest_that_cannot_be_understood_fails_as_a_whole(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ImportFailure, match=name):
        read(tmp_path)


# Through the loader


@pytest.fixture
def store(tmp_path: Path) -> RecordStore:
    store = RecordStore.create(tmp_path / "store.sqlite")
    load(EXAMPLE.parent / "patient.json", store)
    return store


def query(store: RecordStore, sql: str) -> list[tuple[Any, ...]]:
    with closing(store.connect()) as connection:
        return connection.execute(sql).fetchall()


def test_the_documented_example_loads(store):
    report = load(EXAMPLE, store)
    assert (report.counts.accepted, report.counts.rejected, report.counts.skipped) == (3, 0, 0)
    assert query(store, "SELECT note_type, language, hadm_id IS NULL FROM notes ORDER BY note_id") == [
        ("progress", "en", 0),
        ("radiology", "en", 0),
        ("nursing", "zh", 0),
    ]


def test_a_note_of_five_megabytes_loads_whole(tmp_path, store):
    folder = tmp_path / "notes"
    folder.mkdir()
    text = "患者无发热。Afebrile.\n" * 180_000
    (folder / "long.txt").write_text(text, encoding="utf-8")
    assert (folder / "long.txt").stat().st_size > 5_000_000
    load(manifest(folder, {"file": "long.txt", "patient": "example-p1"}), store)
    assert query(store, "SELECT length(text) FROM notes") == [(len(text),)]


def test_a_changed_note_is_loaded_again_and_an_unchanged_one_is_not(tmp_path, store):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("Afebrile.")
    (folder / "b.txt").write_text("No pain.")
    entries = [{"file": name, "patient": "example-p1"} for name in ("a.txt", "b.txt")]
    load(manifest(folder, *entries), store)
    (folder / "a.txt").write_text("Febrile since noon.")
    report = load(folder, store)
    assert (report.counts.updated, report.counts.duplicates) == (1, 1)
    assert query(store, "SELECT text FROM notes ORDER BY note_id") == [
        ("Febrile since noon.",),
        ("No pain.",),
    ]


def test_a_note_of_an_unknown_patient_is_quarantined(tmp_path, store):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("Afebrile.")
    report = load(
        manifest(folder, {"file": "a.txt", "patient": "nobody"}, {"file": "b.txt", "patient": "p"}), store
    )
    assert (report.counts.accepted, report.counts.rejected) == (0, 2)


def test_the_store_own_number_names_a_patient_too(tmp_path, store):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "a.txt").write_text("Afebrile.")
    ((subject_id,),) = query(store, "SELECT subject_id FROM patients")
    load(manifest(folder, {"file": "a.txt", "subject_id": subject_id}), store)
    assert query(store, "SELECT subject_id FROM notes") == [(subject_id,)]
