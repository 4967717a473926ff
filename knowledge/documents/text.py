r"""The text of a document: plain text, Markdown, HTML, PDF and DOCX.

The text is kept to the letter, since citations are offsets into it; only the line ends ``\r\n`` and ``\r``
become ``\n``. A document that cannot be read raises ``ImportFailure`` with a reason that quotes none of it.
"""

import codecs
import io
import re
import zipfile
from dataclasses import dataclass
from itertools import accumulate

import docx
import pypdf
from docx.table import Table
from lxml import etree  # type: ignore[attr-defined]  # compiled, and says nothing of its types
from pypdf.errors import DependencyError

from knowledge.errors import ImportFailure

SUFFIXES = {".txt": "text", ".md": "text", ".html": "html", ".htm": "html", ".pdf": "pdf", ".docx": "docx"}
MEDIA_TYPES = {
    "text/plain": "text",
    "text/markdown": "text",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
}
MAX_BYTES = 100_000_000
_PAGE_GAP = "\n\n"
# A DOCX is a ZIP archive: a small one may unpack to fill the memory.
MAX_UNPACKED_BYTES = 500_000_000
MAX_XML_BYTES = 50_000_000  # of text and its marks; in memory it takes twenty times that
# What Word wraps a document with a password in, and what .doc was before DOCX: no ZIP archive.
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text of a document, and where its pages begin in it (code points; empty where it has no pages)."""

    text: str
    pages: tuple[int, ...] = ()


def extract(data: bytes, kind: str, charset: str | None = None) -> str:
    """The text of a document, nothing added; see ``extract_marked`` for the arguments and errors."""
    return extract_marked(data, kind, charset, marked=False).text


def extract_marked(data: bytes, kind: str, charset: str | None = None, *, marked: bool = True) -> Extracted:
    """The text of a document with its headings marked as in Markdown, and its pages.

    Args:
        data: the file's bytes.
        kind: ``text``, ``html``, ``pdf`` or ``docx`` (the values of ``SUFFIXES`` and ``MEDIA_TYPES``).
        charset: the encoding that the source names; detected without it. PDF and DOCX need none.
        marked: whether the headings of HTML and DOCX get the signs of Markdown.

    Raises:
        ImportFailure: too large, damaged, encrypted, in no known encoding, with NUL bytes, or without text.
    """
    if len(data) > MAX_BYTES:
        raise ImportFailure(f"larger than {MAX_BYTES // 1_000_000} MB")
    pages: list[str] = []
    match kind:
        case "pdf":
            pages = [_unix(page) for page in _pdf(data)]
            text = _PAGE_GAP.join(pages)
        case "docx":
            text = _docx(data, marked)
        case "html":
            text = _html(_whole(decode(data, charset)), marked)
        case _:
            text = decode(data, charset)
    if not _whole(text).strip():
        raise ImportFailure("no text: needs OCR" if kind == "pdf" else "no text")
    lengths = accumulate((len(page) + len(_PAGE_GAP) for page in pages[:-1]), initial=0)
    return Extracted(_unix(text), tuple(lengths) if pages else ())


def _whole(text: str) -> str:
    if "\0" in text:
        raise ImportFailure("contains NUL bytes: it is damaged or no text file")
    return text


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def decode(data: bytes, charset: str | None = None) -> str:
    """Bytes as text: the encoding named, else the byte-order mark, UTF-8, or GB18030.

    Nearly any bytes decode as GB18030, so that it is believed only where at least 80 of 100 characters beyond
    ASCII belong to GB 2312, the characters in daily use and their punctuation.

    Raises:
        ImportFailure: the named encoding is unknown or wrong, or none of the known ones fits.
    """
    if charset:
        try:
            return data.decode("utf-8-sig" if codecs.lookup(charset).name == "utf-8" else charset)
        except (LookupError, UnicodeDecodeError) as error:
            raise ImportFailure("is not in the encoding that its source names") from error
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    try:
        return data.decode(marked or "utf-8")
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("gb18030")
        beyond = [character for character in text if not character.isascii()]
        common = sum(len(character.encode("gb2312", "ignore")) == 2 for character in beyond)
        if common >= 0.8 * len(beyond):
            return text
    except UnicodeDecodeError:
        pass
    raise ImportFailure("is neither UTF-8 nor GB18030: save it as UTF-8")


def _pdf(data: bytes) -> list[str]:
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise ImportFailure("is protected by a password: save it without one")
        return [page.extract_text() for page in reader.pages]
    except ImportFailure:
        raise
    except DependencyError as error:
        raise ImportFailure("is encrypted: save it without encryption") from error
    except Exception as error:  # the parser meets damage with whatever Python raises where it strikes
        raise ImportFailure("is a damaged PDF") from error


def _docx(data: bytes, marked: bool) -> str:
    if data.startswith(_OLE):
        raise ImportFailure("is protected by a password, or is an old .doc: save it as DOCX without one")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for most, end in ((MAX_UNPACKED_BYTES, ""), (MAX_XML_BYTES, ".xml")):
                if sum(one.file_size for one in archive.infolist() if one.filename.endswith(end)) > most:
                    raise ImportFailure(f"unpacks to more than {most // 1_000_000} MB")
            # Reads piece by piece: the library would unpack a part whole, however much more it is than it says.
            if archive.testzip() is not None:
                raise ImportFailure("is a damaged DOCX")
        document = docx.Document(io.BytesIO(data))
        # Looked up once: the library reads all styles anew for every paragraph without one.
        styles = {style.style_id: style.name for style in document.styles}
        blocks = []
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                blocks.extend("\t".join(cell.text for cell in row.cells) for row in block.rows)
            else:
                blocks.append(_sign(styles.get(block._p.style or "")) * marked + block.text)
        return "\n".join(blocks)
    except ImportFailure:
        raise
    except Exception as error:  # as with PDF
        raise ImportFailure("is a damaged DOCX") from error


def _sign(style: str | None) -> str:
    """The Markdown sign of a Word style: "Heading 2" is "## "; nothing for other styles."""
    level = re.fullmatch(r"(?:Title|Heading ([1-6]))", style or "")
    return "" if level is None else "#" * int(level[1] or 1) + " "


class _Text:
    """Collects what a browser would show, with a line for each block; the target of lxml's parser."""

    BLOCK = re.compile(
        "address|article|blockquote|br|d[dlt]|div|footer|h[1-6]|header|hr|li|ol|p|pre|section|table|tr|ul"
    )
    HIDDEN = frozenset(("head", "script", "style", "template"))

    def __init__(self, marked: bool) -> None:
        self.marked = marked
        self.parts: list[str] = []
        self.run: list[str] = []  # text since the last tag, which the parser gives in pieces
        self.hidden = 0

    def start(self, tag: str, attributes: object) -> None:
        """Open a block, a cell or something that is not shown."""
        self.flush()
        if tag in self.HIDDEN:
            self.hidden += 1
        elif self.BLOCK.fullmatch(tag):
            level = re.fullmatch("h([1-6])", tag) if self.marked else None
            self.parts.append("\n" if level is None else "\n" + "#" * int(level[1]) + " ")
        elif tag in ("td", "th"):
            self.parts.append("\t")

    def end(self, tag: str) -> None:
        """Close a block or what was not shown."""
        self.flush()
        if tag in self.HIDDEN:
            self.hidden = max(0, self.hidden - 1)
        elif self.BLOCK.fullmatch(tag):
            self.parts.append("\n")

    def data(self, data: str) -> None:
        """Keep text that is shown."""
        if not self.hidden:
            self.run.append(data)

    def comment(self, data: str) -> None:
        """Nobody sees it."""

    def flush(self) -> None:
        """End a run of text, its white space as a browser shows it."""
        self.parts.append(re.sub(r"\s+", " ", "".join(self.run)))
        self.run.clear()

    def close(self) -> str:
        """All of it."""
        self.flush()
        return "".join(self.parts)


def _html(source: str, marked: bool) -> str:
    # Not html.parser, which takes minutes for a page of unclosed tags; this one is linear and fetches nothing.
    parser = etree.HTMLParser(target=_Text(marked), encoding="utf-8", huge_tree=True, no_network=True)
    try:
        parser.feed(source.encode("utf-8"))
        shown = str(parser.close())
    except (etree.LxmlError, UnicodeEncodeError) as error:
        raise ImportFailure("is damaged HTML") from error
    lines = (line.strip(" \t") for line in shown.split("\n"))
    return "\n".join(line for line in lines if line.strip("# " if marked else None))
