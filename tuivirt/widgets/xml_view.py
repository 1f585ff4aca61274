"""XML to read: highlighted line by line, searchable, hostile content drawn and never obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .page import Page, PageLine
from .tones import Toned

TAG, NAME, VALUE, NOTE, TEXT = "info", "", "good", "dim", ""

_INSIDE = re.compile(
    r"""(?P<name>[\w:.-]+)(?P<eq>\s*=\s*)(?P<value>"[^"]*"?|'[^']*'?)|(?P<end>[/?]?>)|(?P<rest>[^\s/?>]+|[/?]|\s+)"""
)
_OPEN = re.compile(r"<(?P<note>!--)|<[/?!]?[\w:.-]*")


def highlight(xml: str) -> list[PageLine]:
    """One line of spans for each line of the text; the spans joined are the text itself.

    A light scanner that remembers across lines only whether it stands in a comment, in a tag or
    in a quoted value: it never fails, whatever it is given.
    """
    scanner = _Scanner()
    return [tuple(scanner.line(line.expandtabs())) for line in _split(xml)]


def _split(xml: str) -> list[str]:
    """Lines at newlines only: splitlines() would also break at form feeds and U+2028."""
    lines = xml.replace("\r\n", "\n").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return lines


class _Scanner:
    def __init__(self) -> None:
        self.state = "text"
        self.quote = ""

    def line(self, text: str) -> Iterator[Toned]:
        at = 0
        while at < len(text):
            start = at
            if self.state == "note":
                at = self._until(text, at, "-->", "text")
                yield Toned(text[start:at], NOTE)
            elif self.state == "value":
                at = self._until(text, at, self.quote, "tag")
                yield Toned(text[start:at], VALUE)
            elif self.state == "tag":
                match = _INSIDE.match(text, at)
                assert match is not None  # its last alternative takes any character
                at = match.end()
                yield from self._inside(match)
            else:
                match = _OPEN.search(text, at)
                if match is None:
                    yield Toned(text[at:], TEXT)
                    return
                if match.start() > at:
                    yield Toned(text[at : match.start()], TEXT)
                at = match.end()
                self.state = "note" if match["note"] else "tag"
                yield Toned(match[0], NOTE if match["note"] else TAG)

    def _until(self, text: str, at: int, mark: str, then: str) -> int:
        found = text.find(mark, at)
        if found < 0:
            return len(text)
        self.state = then
        return found + len(mark)

    def _inside(self, match: re.Match[str]) -> Iterator[Toned]:
        if match["name"] is not None:
            value = match["value"]
            yield Toned(match["name"], NAME)
            yield Toned(match["eq"], "dim")
            yield Toned(value, VALUE)
            if len(value) < 2 or value[-1] != value[0]:
                self.state, self.quote = "value", value[0]
        elif match["end"] is not None:
            self.state = "text"
            yield Toned(match["end"], TAG)
        else:
            yield Toned(match[0], TAG if match[0] in "/?" else NAME)


class XmlView(Page):
    """A page of XML. ``search`` with ``/`` of the screen, ``n`` and ``N`` as on every page."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._xml = ""

    @property
    def xml(self) -> str:
        """The document as it came."""
        return self._xml

    def show_xml(self, xml: str) -> None:
        """Show this document; the same one again costs nothing and keeps the place."""
        if xml == self._xml:
            return
        self._xml = xml
        self.show(highlight(xml))

    def show_note(self, text: str) -> None:
        """Show a sentence in place of a document: it is being read, or why there is none."""
        self._xml = ""
        self.show([(Toned("  " + line, "dim"),) for line in text.split("\n")])
