"""Where each element of an XML text begins and ends."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"""
    r"""|<(?P<closing>/?)[^\s/>]+(?:[^>"'/]|"[^"]*"|'[^']*')*(?P<empty>/?)>""",
    re.DOTALL,
)


@dataclass(slots=True)
class Span:
    """An element's place in the text, in characters."""

    start: int
    inner_start: int
    inner_end: int = -1
    end: int = -1
    closed: bool = False
    """Written as ``<tag/>``: nothing is inside."""
    children: list[Span] = field(default_factory=list)


def spans(xml: str) -> Span:
    """The root's span, with those of all elements below in the order of the text.

    ``xml`` must be well-formed and without a DOCTYPE: `tree.parse` says so first. libvirt's
    parsers report lines, not places, hence this reader of tags alone.
    """
    outside = Span(0, 0)
    stack = [outside]
    for token in _TOKEN.finditer(xml):
        if token["closing"] is None:
            continue
        if token["closing"]:
            span = stack.pop()
            span.inner_end, span.end = token.start(), token.end()
            continue
        span = Span(token.start(), token.end())
        stack[-1].children.append(span)
        if token["empty"]:
            span.inner_end = span.end = token.end()
            span.closed = True
        else:
            stack.append(span)
    return outside.children[0]


def without_line(xml: str, span: Span) -> str:
    """``xml`` without the element there, and without its line where it has one of its own."""
    before = xml[: span.start]
    line = before.rstrip(" \t")
    if line.endswith("\n"):
        before = line[:-2] if line.endswith("\r\n") else line[:-1]
    return before + xml[span.end :]
