"""Evidence cards: the exact row or span behind a citation, read from the record at the moment of the click."""

from contextlib import closing

from agent.answer import Evidence, GraphEvidence, Language, NoteEvidence, PassageEvidence, RowEvidence
from agent.ui.render import escape
from agent.ui.strings import strings
from knowledge.store import RecordStore

MOST_ROWS = 25
CONTEXT = 20_000
"""Code points shown on either side of a span; a longer note is cut there."""


def card(evidence: Evidence, store: RecordStore, language: Language) -> str:
    """One card as HTML."""
    words = strings(language)
    if isinstance(evidence, NoteEvidence):
        return _note(evidence, store, words)
    if isinstance(evidence, RowEvidence):
        return _rows(evidence, store, words)
    if isinstance(evidence, PassageEvidence):
        return _frame(evidence.id, escape(evidence.doc_id), f"<mark>{escape(evidence.quote)}</mark>")
    return _graph(evidence)


def _frame(number: int, head: str, body: str) -> str:
    return (
        f'<article class="cr-card" tabindex="0"><header><span class="cr-number">{number}</span> {head}</header>'
        f"{body}</article>"
    )


def _note(evidence: NoteEvidence, store: RecordStore, words: dict[str, str]) -> str:
    note = store.note(evidence.note_id)
    if note is None:
        return _frame(evidence.id, escape(words["note"]), f"<p>{escape(words['gone'])}</p>")
    head = " · ".join(
        escape(part)
        for part in (note.title or note.note_type, note.charttime, note.author, f"#{note.note_id}")
        if part
    )
    if note.text[evidence.start : evidence.end] != evidence.quote:
        return _frame(evidence.id, head, f'<p role="alert">{escape(words["changed"])}</p>')
    before = note.text[max(0, evidence.start - CONTEXT) : evidence.start]
    after = note.text[evidence.end : evidence.end + CONTEXT]
    body = (
        f'<div class="cr-where">{escape(words["section"])} {evidence.start}–{evidence.end}</div>'
        f'<div class="cr-note">{escape(before)}<mark id="cr-mark">{escape(evidence.quote)}</mark>{escape(after)}</div>'
    )
    return _frame(evidence.id, head, body)


def _rows(evidence: RowEvidence, store: RecordStore, words: dict[str, str]) -> str:
    key = "note_id" if evidence.table == "notes" else "row_id"
    columns = [c for c in store.tables[evidence.table] if c != "text"]
    shown = evidence.row_ids[:MOST_ROWS]
    query = (
        f"SELECT {', '.join(columns)} FROM {evidence.table} "
        f"WHERE {key} IN ({', '.join('?' * len(shown))}) ORDER BY {key}"
    )
    with closing(store.connect()) as connection:
        rows = connection.execute(query, shown).fetchall()
    head = f"{escape(words['table'])} <code>{escape(evidence.table)}</code> · {len(evidence.row_ids)} {escape(words['rows'])}"
    named = "".join(
        f"<dt>{escape(name)}</dt><dd><mark>{escape(value)}</mark></dd>"
        for name, value in evidence.values.items()
        if value is not None
    )
    tables = []
    for row in rows:
        cells = "".join(
            f"<tr><th>{escape(column)}</th><td>{escape(value)}</td></tr>"
            for column, value in zip(columns, row, strict=True)
            if value is not None
        )
        tables.append(f'<table class="cr-table">{cells}</table>')
    if not rows:
        tables.append(f"<p>{escape(words['gone'])}</p>")
    rest = len(evidence.row_ids) - len(shown)
    if rest > 0 or evidence.truncated:
        tables.append(f"<p>{escape(words['more_rows'].format(n=rest if rest > 0 else '…'))}</p>")
    return _frame(evidence.id, head, f"<dl>{named}</dl>{''.join(tables)}")


def _graph(evidence: GraphEvidence) -> str:
    edges = "".join(f"<li>{' — '.join(escape(part) for part in edge)}</li>" for edge in evidence.edges)
    return _frame(evidence.id, escape(evidence.source), f"<ul>{edges}</ul>")
