"""Evidence cards: the exact row or span behind a citation, read from the record at the moment of the click."""

from collections.abc import Iterable, Mapping
from contextlib import closing

from agent.answer import Cell, Evidence, GraphEvidence, Language, NoteEvidence, PassageEvidence, RowEvidence
from agent.ui.escape import escape
from agent.ui.patients import label
from agent.ui.strings import strings
from knowledge.documents import Library
from knowledge.graph.relations import relations
from knowledge.store import Patient, RecordStore

MOST_ROWS = 25
CONTEXT = 20_000
"""Code points shown on either side of a span; a longer note is cut there."""
_DICTIONARIES = {
    ("labevents", "itemid"): ("d_labitems", "label"),
    ("chartevents", "itemid"): ("d_items", "label"),
    ("inputevents", "itemid"): ("d_items", "label"),
    ("outputevents", "itemid"): ("d_items", "label"),
    ("diagnoses_icd", "icd_code"): ("d_icd_diagnoses", "long_title"),
    ("procedures_icd", "icd_code"): ("d_icd_procedures", "long_title"),
}
"""Code column to the dictionary, with the column of the name that people read."""
_INTERNAL = frozenset({"text", "sha256", "source"})
"""Columns that no card shows: a note's text has cards of its own, the others say nothing about the patient."""
Row = dict[str, Cell]


def card(
    evidence: Evidence,
    store: RecordStore,
    patients: Mapping[int, Patient],
    language: Language,
    *,
    library: Library | None = None,
    key: str = "",
) -> str:
    """One card as HTML.

    Args:
        evidence: what was cited.
        store: read anew, so that the card shows what the record says now.
        patients: those that the user may see, for the name on the card.
        language: of the card's words.
        library: where a passage is read anew, with what stands around it.
        key: tells the browser's script which citation the card belongs to.
    """
    words = strings(language)
    if isinstance(evidence, NoteEvidence):
        head, body, subject = _note(evidence, store, words)
    elif isinstance(evidence, RowEvidence):
        head, body, subject = _rows(evidence, store, words)
    elif isinstance(evidence, PassageEvidence):
        head, body, subject = (
            escape(evidence.title or evidence.doc_id),
            _passage(evidence, library, words),
            None,
        )
    else:
        head, body, subject = escape(words["general"]), _graph(evidence, words, language), None
    whose = patients.get(subject) if subject is not None else None
    named = f'<p class="cr-whose">{escape(label(whose, language))}</p>' if whose else ""
    general = " cr-general" if isinstance(evidence, GraphEvidence | PassageEvidence) else ""
    return (
        f'<article class="cr-card{general}" tabindex="-1" data-key="{escape(key)}"><header>'
        f'<span class="cr-number">{escape(words["evidence"])} {evidence.id}</span>'
        f'<span class="cr-what">{head}</span>'
        f'<button type="button" class="cr-close" aria-label="{escape(words["close"])}" '
        f'title="{escape(words["close"])} (Esc)">✕</button></header>{named}{body}</article>'
    )


def _note(evidence: NoteEvidence, store: RecordStore, words: dict[str, str]) -> tuple[str, str, int | None]:
    note = store.note(evidence.note_id)
    if note is None:
        return escape(words["note"]), f'<p role="alert">{escape(words["gone"])}</p>', None
    parts = (note.title or note.note_type, (note.charttime or "")[:16], note.author)
    head = " · ".join(escape(part) for part in parts if part)
    if note.text[evidence.start : evidence.end] != evidence.quote:
        return head, f'<p role="alert">{escape(words["changed"])}</p>', note.subject_id
    before = note.text[max(0, evidence.start - CONTEXT) : evidence.start]
    after = note.text[evidence.end : evidence.end + CONTEXT]
    where = f"{words['note']} {note.note_id} · {words['section']} {evidence.start}–{evidence.end}"
    body = (
        f'<div class="cr-where">{escape(where)}</div>'
        f'<div class="cr-note">{escape(before)}<mark>{escape(evidence.quote)}</mark>{escape(after)}</div>'
    )
    return head, body, note.subject_id


def _rows(evidence: RowEvidence, store: RecordStore, words: dict[str, str]) -> tuple[str, str, int | None]:
    rows = _read(evidence, store)
    number = len(evidence.row_ids)
    count = words["row" if number == 1 else "rows"].format(n=f"{number}{'+' if evidence.truncated else ''}")
    table = words.get(f"table_{evidence.table}", evidence.table)
    head = f"{escape(table)} <code>{escape(evidence.table)}</code> · {escape(count)}"
    subjects = {row.get("subject_id") for row in rows}
    only = next(iter(subjects)) if len(subjects) == 1 else None
    if not rows:
        body = f'<p role="alert">{escape(words["gone"])}</p>'
    elif len(rows) == 1:
        body = _single(rows[0], _said(evidence, rows[0]))
    else:
        body = _many(rows, _said(evidence, rows[0]))
    rest = len(evidence.row_ids) - len(rows)
    if rows and (rest > 0 or evidence.truncated):
        body += f'<p class="cr-where">{escape(words["more_rows"].format(n=rest if rest > 0 else "…"))}</p>'
    return head, body, only if isinstance(only, int) else None


def _read(evidence: RowEvidence, store: RecordStore) -> list[Row]:
    """The rows as they are now, codes followed by what they stand for; the text of notes is left to note cards."""
    table, key = evidence.table, "note_id" if evidence.table == "notes" else "row_id"
    ids = evidence.row_ids[:MOST_ROWS]
    columns = [column for column in store.tables[table] if column not in _INTERNAL]
    query = f"SELECT {', '.join(columns)} FROM {table} WHERE {key} IN ({', '.join('?' * len(ids))}) ORDER BY {key}"
    with closing(store.connect()) as connection:
        found = [dict(zip(columns, row, strict=True)) for row in connection.execute(query, ids)]
        rows: list[Row] = []
        for values in found:
            row: Row = {}
            for column, value in values.items():
                row[column] = value
                dictionary = _DICTIONARIES.get((table, column))
                if dictionary is not None and dictionary[0] in store.tables:
                    named = connection.execute(
                        f"SELECT {dictionary[1]} FROM {dictionary[0]} WHERE {column} = ? LIMIT 1", (value,)
                    ).fetchone()
                    row[dictionary[1]] = named[0] if named else None
            rows.append(row)
    return rows


def _said(evidence: RowEvidence, first: Row) -> set[str]:
    """The columns that the answer speaks of: those of the first row that hold one of its values."""
    values = {str(v) for name, v in evidence.values.items() if v is not None and not name.endswith("_id")}
    return {column for column, value in first.items() if str(value) in values and not column.endswith("_id")}


def _order(columns: Iterable[str], said: set[str]) -> list[str]:
    """What the answer speaks of first, keys last."""
    return sorted(columns, key=lambda column: (column.endswith("_id"), column not in said))


def _single(row: Row, said: set[str]) -> str:
    cells = "".join(
        f"<tr><th>{escape(column)}</th><td>{_cell(column, row[column], said)}</td></tr>"
        for column in _order(row, said)
        if row[column] is not None
    )
    return f'<table class="cr-table">{cells}</table>'


def _many(rows: list[Row], said: set[str]) -> str:
    columns = _order((name for name in rows[0] if any(row[name] is not None for row in rows)), said)
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        f"<tr>{''.join(f'<td>{_cell(column, row[column], said)}</td>' for column in columns)}</tr>"
        for row in rows
    )
    return (
        f'<div class="cr-wide"><table class="cr-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(column: str, value: Cell, said: set[str]) -> str:
    shown = "" if value is None else escape(value)
    return f"<mark>{shown}</mark>" if shown and column in said else shown


def _passage(evidence: PassageEvidence, library: Library | None, words: dict[str, str]) -> str:
    """The span within its document, which says nothing of the patient."""
    about = f'<p class="cr-about">{escape(words["general"])}</p>'
    if library is None:
        return f"{about}<p><mark>{escape(evidence.quote)}</mark></p>"
    document = library.document(evidence.doc_id)
    if document is None or document.text[evidence.start : evidence.end] != evidence.quote:
        return f'{about}<p role="alert">{escape(words["document_changed"])}</p>'
    page = document.page(evidence.start)
    where = " · ".join(
        part
        for part in (
            evidence.doc_id,
            words["page"].format(n=page) if page is not None else "",
            f"{words['section']} {evidence.start}–{evidence.end}",
        )
        if part
    )
    before = document.text[max(0, evidence.start - CONTEXT) : evidence.start]
    after = document.text[evidence.end : evidence.end + CONTEXT]
    return (
        f'{about}<div class="cr-where">{escape(where)}</div>'
        f'<div class="cr-note">{escape(before)}<mark>{escape(evidence.quote)}</mark>{escape(after)}</div>'
    )


def _graph(evidence: GraphEvidence, words: dict[str, str], language: Language) -> str:
    """The path, step by step, what it adds, and the works that say so."""
    edges = "".join(
        f"<li><b>{escape(subject)}</b> <span>{escape(_relation(relation, language))}</span> <b>{escape(there)}</b></li>"
        for subject, relation, there in evidence.edges
    )
    details = "".join(f"<p>{escape(detail)}</p>" for detail in evidence.details)
    source = escape(words["said_by"].format(works=evidence.source))
    return f'<ol class="cr-path">{edges}</ol>{details}<p class="cr-where">{source}</p>'


def _relation(name: str, language: Language) -> str:
    relation = relations().get(name)
    return name if relation is None else relation.zh if language == "zh" else relation.en
