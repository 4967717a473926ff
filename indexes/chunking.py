"""Splits notes and documents into chunks with exact offsets into the source.

Offsets are code points: ``text[chunk.start:chunk.end] == chunk.text``. What a section and what a sentence is
decides ``knowledge.mentions.sentences``.
"""

from dataclasses import dataclass

from knowledge.mentions.sentences import sections, sentences, weight_of

CHUNK_WEIGHT = 640
"""About 200 word pieces of clinical English, which the 256 of the default model hold with a heading."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is indexed as one: neighbouring sentences of one section; ``text`` is the source's slice."""

    source_id: str
    start: int
    end: int
    section: str
    text: str


def chunks(source_id: str, text: str, *, weight: int = CHUNK_WEIGHT) -> list[Chunk]:
    """Pack the sentences of each section into chunks.

    Args:
        source_id: the note or document, handed through.
        text: its text.
        weight: the most a chunk may hold; a CJK character counts 3 (one word piece), another character 1.

    Returns:
        Disjoint chunks in order. A heading with nothing under it joins the section that follows.
    """
    borders = sections(text)
    packed: list[Chunk] = []
    section = 0
    start = end = -1
    held = 0
    title = ""
    body = False

    def close() -> None:
        if start >= 0:
            packed.append(Chunk(source_id, start, end, title, text[start:end]))

    for sentence in sentences(text):
        entered = False
        while sentence.start >= borders[section].end:
            section += 1
            entered = True
        size = weight_of(text, sentence.start, sentence.end)
        if start < 0 or (entered and body) or held + size > weight:
            close()
            start, held, body = sentence.start, 0, False
        title = borders[section].title
        end = sentence.end
        held += size
        body = body or not sentence.heading
    close()
    return packed
