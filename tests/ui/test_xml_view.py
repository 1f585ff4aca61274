"""The XML view: highlighted, searchable, and nothing in the document is obeyed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from tuivirt.widgets.page import Page
from tuivirt.widgets.xml_view import NOTE, TAG, VALUE, XmlView, highlight

DOMAIN = """<domain type='kvm'>
  <name>web-01</name>
  <!-- two
       lines -->
  <memory unit="KiB">4194304</memory>
</domain>
"""


def joined(xml: str) -> list[str]:
    return ["".join(text for text, _ in line) for line in highlight(xml)]


def test_highlighting_loses_nothing() -> None:
    assert joined(DOMAIN) == DOMAIN.splitlines()


def test_elements_values_and_comments_are_told_apart() -> None:
    lines = highlight(DOMAIN)
    assert ("<domain", TAG) in lines[0]
    assert ("'kvm'", VALUE) in lines[0]
    assert ("web-01", "") in lines[1]
    assert lines[3] == (("       lines -->", NOTE),)


def test_a_value_may_go_over_several_lines() -> None:
    lines = highlight('<a b="one\ntwo" c="3"/>')
    assert lines[1][0] == ('two"', VALUE)
    assert ('"3"', VALUE) in lines[1]


@given(st.text(alphabet="<>/!?-='\"ab \n&\x1b\u2028\x0c[];", max_size=80))
def test_highlighting_never_fails_and_never_loses_a_character(xml: str) -> None:
    lines = xml.split("\n")
    assert joined(xml) == (lines[:-1] if not lines[-1] else lines)


class Shown(App[None]):
    heard: list[tuple[int, int]]

    def on_page_searched(self, event: Page.Searched) -> None:
        self.heard = [*getattr(self, "heard", []), (event.hit, event.hits)]

    def compose(self) -> ComposeResult:
        yield XmlView()


LONG = "<domain>\n" + "".join(f"  <disk n='{n}'/>\n" for n in range(200)) + "</domain>\n"


async def test_a_search_goes_to_the_next_hit_and_round() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(XmlView)
        view.show_xml(LONG)
        await pilot.pause()
        view.search("n='1[57]0'")
        await pilot.pause()
        assert view.scroll_offset.y <= 151 < view.scroll_offset.y + 24
        view.focus()
        await pilot.press("n")
        assert view.scroll_offset.y <= 171 < view.scroll_offset.y + 24
        await pilot.press("n")
        assert view.scroll_offset.y <= 151 < view.scroll_offset.y + 24
        await pilot.press("g")
        assert view.scroll_offset.y == 0
        await pilot.press("G")
        assert view.scroll_offset.y == 202 - 24


async def test_a_search_that_is_no_regular_expression_is_taken_literally() -> None:
    app = Shown()
    async with app.run_test(size=(80, 24)) as pilot:
        view = app.query_one(XmlView)
        view.show_xml("<a>[x</a>")
        view.search("[x")
        await pilot.pause()
        assert app.heard == [(1, 1)]


async def test_escape_sequences_in_a_document_are_drawn_and_not_sent() -> None:
    app = Shown()
    async with app.run_test(size=(80, 5)):
        view = app.query_one(XmlView)
        view.show_xml("<title>\x1b]0;owned\x07\x9b31m \u202e evil</title>")
        text = view.render_line(0).text
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e" for c in text)
        assert "owned" in text
