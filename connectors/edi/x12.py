"""X12 tokenizer: separators from the ISA, then segments with their place in the file.

Text is decoded as Latin-1, one character per byte, so that every offset is a byte offset and a faulty piece can be cut
out of the file unchanged; `utf8` turns an element into real text where a document is made of it. Source of the rules:
ASC X12.5 (interchange control structure) and X12.6 (application control structure), version 004010.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

ISA_LENGTH = 106
# the 16 elements of an ISA are fixed in width; these are the offsets of the separator before each of them
_ISA_SEPARATORS = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
MOST_ELEMENTS = 1_000
MOST_SEGMENTS = 1_000_000
_PADDING = "\r\n\t \x00\x1a"


class X12Error(ValueError):
    """Bytes that are not X12 as far as the separators: nothing after this place can be told apart."""


@dataclass(frozen=True, slots=True)
class Separators:
    """The four characters an interchange chose. `repetition` is None before version 00402."""

    element: str
    component: str
    segment: str
    repetition: str | None = None


class Segment(NamedTuple):
    """One segment: its elements, the tag first, and its bytes `start:end`, terminator included. (A tuple: files hold
    hundreds of thousands.)"""

    elements: tuple[str, ...]
    start: int
    end: int

    @property
    def tag(self) -> str:
        return self.elements[0]

    def element(self, number: int) -> str:
        """Element `number`, without the padding of fixed-width fields; empty when the segment is shorter."""
        return self.elements[number].strip(" ") if number < len(self.elements) else ""


def read_separators(text: str, start: int) -> Separators:
    """The separators of the ISA at `start`. Raises X12Error when it is not an ISA of exactly 106 characters."""
    if not text.startswith("ISA", start):
        raise X12Error("does not start with ISA")
    isa = text[start : start + ISA_LENGTH]
    if len(isa) < ISA_LENGTH:
        raise X12Error(f"the ISA is {len(isa)} characters long, not {ISA_LENGTH}")
    element = isa[3]
    if [at for at, character in enumerate(isa[:104]) if character == element] != list(_ISA_SEPARATORS):
        raise X12Error("the ISA's elements do not have their fixed widths")
    component, terminator = isa[104], isa[105]
    if len({element, component, terminator}) != 3 or any(c.isalnum() or c == " " for c in (element, terminator)):
        raise X12Error("the separators are not three distinct special characters")
    repetition = isa[82] if not isa[82].isalnum() and isa[84:89] >= "00402" else None
    return Separators(element, component, terminator, repetition)


def segments(text: str, start: int, separators: Separators) -> Iterator[Segment]:
    """Segments from `start` on. Padding (line ends, blanks) between segments belongs to none of them.

    The last one may lack its terminator: it is yielded with an `end` at the end of the text and the caller sees it,
    because nothing closes the envelope after it. A new ISA ends the iteration before it is yielded, since it may
    choose other separators. Raises X12Error past MOST_SEGMENTS, or at one of more than MOST_ELEMENTS.
    """
    at, length, count = start, len(text), 0
    terminator, element = separators.segment, separators.element
    padding = _PADDING.replace(terminator, "")
    while True:
        while at < length and text[at] in padding:
            at += 1
        if at >= length or (text[at] == "I" and at > start and is_isa(text, at)):
            return
        stop = text.find(terminator, at)
        end = length if stop < 0 else stop
        count += 1
        if count > MOST_SEGMENTS:
            raise X12Error(f"it has more than {MOST_SEGMENTS:,} segments")
        if end - at > MOST_ELEMENTS and text.count(element, at, end) > MOST_ELEMENTS:
            raise X12Error(f"a segment has more than {MOST_ELEMENTS:,} elements")
        yield Segment(tuple(text[at:end].split(element)), at, min(end + 1, length))
        at = end + 1


def is_isa(text: str, at: int) -> bool:
    """Whether an ISA starts here: the three letters and a separator, not the start of a longer word."""
    return text.startswith("ISA", at) and at + 3 < len(text) and not text[at + 3].isalnum()


def skip_padding(text: str, at: int) -> int:
    """The first place at or after `at` that is not padding."""
    while at < len(text) and text[at] in _PADDING:
        at += 1
    return at


def utf8(element: str) -> str:
    """An element as real text. Raises X12Error when its bytes are not UTF-8."""
    if element.isascii():
        return element
    try:
        return element.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError as error:
        raise X12Error(f"text is not UTF-8 at {error.start}") from error
