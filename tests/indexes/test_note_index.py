"""The hybrid index as a whole: search within what is permitted, follow the notes, refuse what was altered."""

import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from indexes.chunk_table import Filter
from indexes.embedding import Embedder
from indexes.index import Mode, PassageIndex
from indexes.store_notes import StoreNotes
from knowledge.errors import IndexFault
from knowledge.store.store import RecordStore

MODES: list[Mode] = ["keyword", "dense", "hybrid"]


def change(store: RecordStore, statement: str, *values: object) -> None:
    with closing(store.connect()) as connection, connection:
        connection.execute(statement, values)


def generation(folder: Path) -> Path:
    return folder / "notes" / (folder / "notes" / "current").read_text().split()[0]


def test_a_hit_quotes_the_record_at_its_offsets(store: RecordStore, folder: Path, embedder: Embedder) -> None:
    index = PassageIndex.build(StoreNotes(store), folder, embedder)
    for mode in MODES:
        for hit in index.search("creatinine", mode=mode):
            note = store.note(int(hit.source_id))
            assert note is not None
            assert hit.text == note.text[hit.start : hit.end]
            assert (hit.subject_id, hit.charttime, hit.note_type) == (
                note.subject_id,
                note.charttime,
                note.note_type,
            )


def test_a_chinese_term_of_two_characters_is_found(
    store: RecordStore, folder: Path, embedder: Embedder
) -> None:
    index = PassageIndex.build(StoreNotes(store), folder, embedder)
    (hit,) = index.search("肌酐", mode="keyword")
    assert (hit.source_id, hit.section, hit.text) == ("3", "现病史", "现病史：患者肌酐升高。")


def test_hybrid_hits_tell_their_rank_in_each_ranking(
    store: RecordStore, folder: Path, embedder: Embedder
) -> None:
    index = PassageIndex.build(StoreNotes(store), folder, embedder)
    best = index.search("chest pain", mode="hybrid", k=3)
    assert best[0].ranks.keys() == {"keyword", "dense"}
    assert [hit.score for hit in best] == sorted((hit.score for hit in best), reverse=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Filter(subject_ids=frozenset({3})), {"4", "5"}),
        (Filter(subject_ids=frozenset({1, 2})), {"1", "2", "3"}),
        (Filter(hadm_ids=frozenset({31})), {"5"}),
        (Filter(note_types=frozenset({"Progress"})), {"2", "3", "5"}),
        (Filter(start="2100-01-03 08:00:00", end="2100-01-31 00:00:00"), {"3", "4"}),
        (Filter(subject_ids=frozenset({3}), note_types=frozenset({"discharge"})), {"4"}),
        (Filter(subject_ids=frozenset()), set()),
        (Filter(kinds=frozenset({"document"})), set()),
    ],
)
def test_a_filter_lets_nothing_else_through(
    store: RecordStore, folder: Path, embedder: Embedder, mode: Mode, where: Filter, expected: set[str]
) -> None:
    index = PassageIndex.build(StoreNotes(store), folder, embedder)
    query = "chest pain creatinine lungs 肌酐 troponin"
    assert {hit.source_id for hit in index.search(query, mode=mode, k=50, where=where)} == expected


@pytest.mark.parametrize("mode", MODES)
def test_better_hits_of_other_patients_take_no_place_from_the_permitted(
    store: RecordStore, folder: Path, embedder: Embedder, mode: Mode
) -> None:
    with closing(store.connect()) as connection, connection:
        connection.executemany(
            "INSERT INTO notes (subject_id, note_type, text, sha256) VALUES (?, 'progress', ?, '')",
            [(1, "Zoster zoster zoster.")] * 300
            + [
                (2, f"Day {n}: seen with many other words about zoster today, again and again.")
                for n in range(7)
            ],
        )
    index = PassageIndex.build(StoreNotes(store), folder, embedder)
    hits = index.search("zoster", mode=mode, k=7, where=Filter(subject_ids=frozenset({2})))
    assert [hit.subject_id for hit in hits] == [2] * 7


def test_a_store_without_notes_gives_an_empty_index(tmp_path: Path, folder: Path, embedder: Embedder) -> None:
    empty = RecordStore.create(tmp_path / "empty.sqlite")
    index = PassageIndex.build(StoreNotes(empty), folder, embedder)
    assert len(index) == 0
    assert [index.search("pain", mode=mode) for mode in MODES] == [[], [], []]


def test_without_a_model_keywords_work_and_meaning_says_why_not(store: RecordStore, folder: Path) -> None:
    index = PassageIndex.build(StoreNotes(store), folder, None)
    assert index.modes == ("keyword",)
    assert {hit.source_id for hit in index.search("metformin", mode="hybrid")} == {"2"}
    with pytest.raises(IndexFault, match="keywords only"):
        index.search("metformin", mode="dense")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("query", ["", "   ", "\x00", '" OR NEAR(', "chest " * 8334, "的"])
def test_any_query_is_taken(
    store: RecordStore, folder: Path, embedder: Embedder, mode: Mode, query: str
) -> None:
    PassageIndex.build(StoreNotes(store), folder, embedder).search(query, mode=mode)


def test_an_update_follows_added_changed_and_deleted_notes_and_embeds_only_them(
    store: RecordStore, folder: Path, embedder: Embedder
) -> None:
    index = PassageIndex.build(StoreNotes(store), folder, embedder)
    encoded = embedder.encoded  # type: ignore[attr-defined]
    encoded.clear()
    change(store, "UPDATE notes SET text = 'Zoster on the left flank.' WHERE note_id = 1")
    change(store, "DELETE FROM notes WHERE note_id = 2")
    change(store, "INSERT INTO notes (note_id, subject_id, text, sha256) VALUES (9, 2, 'New gout.', '')")
    assert index.pending() == 3
    done = PassageIndex.update(StoreNotes(store), folder, embedder)
    assert (done.put, done.deleted) == (2, 1)
    assert sorted(encoded) == ["New gout.", "Zoster on the left flank."]
    index = PassageIndex.open(StoreNotes(store), folder, embedder)
    assert index.pending() == 0
    for mode in MODES:
        assert index.search("zoster", mode=mode)[0].source_id == "1"
        assert index.search("gout", mode=mode)[0].source_id == "9"
        assert "2" not in {hit.source_id for hit in index.search("creatinine metformin", mode=mode, k=50)}
    assert not index.search("troponin", mode="keyword")


def test_an_updated_index_finds_what_a_rebuilt_one_finds(
    store: RecordStore, folder: Path, embedder: Embedder, tmp_path: Path
) -> None:
    PassageIndex.build(StoreNotes(store), folder, embedder)
    change(store, "UPDATE notes SET text = text || ' Gout.' WHERE note_id IN (1, 4)")
    PassageIndex.update(StoreNotes(store), folder, embedder)
    updated, rebuilt = (
        PassageIndex.open(StoreNotes(store), folder, embedder),
        PassageIndex.build(StoreNotes(store), tmp_path / "new", embedder),
    )
    for mode in MODES:
        found = [
            {(hit.source_id, hit.start, round(hit.score, 4)) for hit in index.search("gout pain", mode=mode)}
            for index in (updated, rebuilt)
        ]
        assert found[0] == found[1]


def test_an_update_with_nothing_to_do_writes_nothing(
    store: RecordStore, folder: Path, embedder: Embedder
) -> None:
    PassageIndex.build(StoreNotes(store), folder, embedder)
    before = (folder / "notes" / "current").read_text()
    assert PassageIndex.update(StoreNotes(store), folder, embedder).put == 0
    assert (folder / "notes" / "current").read_text() == before


def test_a_note_that_changed_since_is_not_quoted(
    store: RecordStore, folder: Path, embedder: Embedder
) -> None:
    index = PassageIndex.build(StoreNotes(store), folder, embedder)
    change(store, "UPDATE notes SET text = 'x' || text WHERE note_id = 2")
    assert "2" not in {hit.source_id for hit in index.search("creatinine", k=50)}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [flip, truncate, Path.unlink])
@pytest.mark.parametrize("name", ["vectors.faiss", "chunks.sqlite", "manifest.json"])
def test_an_altered_file_is_refused_with_the_command_that_repairs_it(
    store: RecordStore, folder: Path, embedder: Embedder, name: str, damage: Callable[[Path], None]
) -> None:
    PassageIndex.build(StoreNotes(store), folder, embedder).close()
    damage(generation(folder) / name)
    for use in (PassageIndex.open, PassageIndex.update):
        with pytest.raises(IndexFault, match=re.escape(f"chartroom index --rebuild --store {store.path}")):
            use(StoreNotes(store), folder, embedder)
    assert PassageIndex.build(StoreNotes(store), folder, embedder).search("creatinine")


@pytest.mark.parametrize(
    "pointer", ["", "gen-0001", "../../etc/passwd " + "0" * 64, "gen-0001 " + "0" * 64 + "\n"]
)
def test_an_altered_pointer_is_refused(
    store: RecordStore, folder: Path, embedder: Embedder, pointer: str
) -> None:
    PassageIndex.build(StoreNotes(store), folder, embedder).close()
    (folder / "notes" / "current").write_text(pointer)
    with pytest.raises(IndexFault, match="chartroom index"):
        PassageIndex.open(StoreNotes(store), folder, embedder)


def test_a_missing_index_names_the_command_that_builds_it(store: RecordStore, folder: Path) -> None:
    with pytest.raises(
        IndexFault, match=re.escape(f"Build it with: chartroom index --rebuild --store {store.path}")
    ):
        PassageIndex.open(StoreNotes(store), folder, None)


def test_another_model_is_refused(
    store: RecordStore, folder: Path, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    PassageIndex.build(StoreNotes(store), folder, embedder).close()
    embedder.name = "another"
    for use in (PassageIndex.open, PassageIndex.update):
        with pytest.raises(IndexFault, match="embedding model 'words'"):
            use(StoreNotes(store), folder, embedder)


def test_the_index_of_another_store_is_refused(
    store: RecordStore, folder: Path, embedder: Embedder, tmp_path: Path
) -> None:
    PassageIndex.build(StoreNotes(store), folder, embedder).close()
    with pytest.raises(IndexFault, match="another store"):
        PassageIndex.open(StoreNotes(RecordStore.create(tmp_path / "other.sqlite")), folder, embedder)


KILLED = """
import os, signal, sys
from pathlib import Path
from indexes.index import PassageIndex
from indexes.store_notes import StoreNotes
from knowledge.store.store import RecordStore

def die(stage, done, total):
    if stage == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)

work = getattr(PassageIndex, sys.argv[4])
work(StoreNotes(RecordStore.open(Path(sys.argv[1]))), Path(sys.argv[2]), None, die)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize(("stage", "work"), [("notes", "build"), ("files", "update")])
def test_a_killed_build_leaves_the_old_index_usable_and_the_next_one_cleans_up(
    store: RecordStore, folder: Path, stage: str, work: str
) -> None:
    PassageIndex.build(StoreNotes(store), folder, None).close()
    change(store, "UPDATE notes SET text = 'Zoster.' WHERE note_id = 1")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(store.path), str(folder), stage, work], check=False, timeout=60
    )
    assert killed.returncode == -9
    assert len(list((folder / "notes").glob("gen-*"))) == 2
    assert PassageIndex.open(StoreNotes(store), folder, None).search("metformin")
    PassageIndex.update(StoreNotes(store), folder, None)
    assert PassageIndex.open(StoreNotes(store), folder, None).search("zoster")
    assert len(list((folder / "notes").glob("gen-*"))) == 1


def test_an_interrupted_build_raises_and_leaves_no_rest(store: RecordStore, folder: Path) -> None:
    PassageIndex.build(StoreNotes(store), folder, None).close()

    def interrupt(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PassageIndex.build(StoreNotes(store), folder, None, interrupt)
    assert len(list((folder / "notes").glob("gen-*"))) == 1
    assert PassageIndex.open(StoreNotes(store), folder, None).search("metformin")


def test_two_builders_do_not_clash(store: RecordStore, folder: Path) -> None:
    def second(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("notes", 1):
            with pytest.raises(IndexFault, match="at work"):
                PassageIndex.build(StoreNotes(store), folder, None)

    assert PassageIndex.build(StoreNotes(store), folder, None, second).search("metformin")


def test_an_open_index_goes_on_while_the_next_takes_over(
    store: RecordStore, folder: Path, embedder: Embedder
) -> None:
    old = PassageIndex.build(StoreNotes(store), folder, embedder)
    change(store, "INSERT INTO notes (note_id, subject_id, text, sha256) VALUES (9, 2, 'New gout.', '')")
    PassageIndex.update(StoreNotes(store), folder, embedder)
    assert {hit.source_id for hit in old.search("metformin", mode="keyword")} == {"2"}
    assert old.search("gout", mode="keyword") == []


def test_progress_ends_at_its_total(store: RecordStore, folder: Path, embedder: Embedder) -> None:
    seen: dict[str, tuple[int, int]] = {}
    PassageIndex.build(
        StoreNotes(store), folder, embedder, lambda stage, done, total: seen.__setitem__(stage, (done, total))
    )
    assert seen.keys() == {"notes", "embeddings", "files"}
    assert all(done == total for done, total in seen.values())


def test_a_note_with_nul_bytes_or_no_text_does_not_stop_a_build(
    store: RecordStore, folder: Path, embedder: Embedder
) -> None:
    change(store, "INSERT INTO notes (note_id, subject_id, text, sha256) VALUES (8, 2, '', '')")
    change(
        store,
        "INSERT INTO notes (note_id, subject_id, text, sha256) VALUES (9, 2, ?, '')",
        "Gout\x00 flare.\x00",
    )
    index = PassageIndex.build(StoreNotes(store), folder, embedder)
    assert [hit.text for hit in index.search("flare", mode="keyword")] == ["Gout\x00 flare.\x00"]


def test_an_open_filter_is_no_filter() -> None:
    assert Filter().is_open
    assert not replace(Filter(), subject_ids=frozenset()).is_open
