"""The XML of one object: live and saved, highlighted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tuivirt.actions import lookups
from tuivirt.backend.model.device import DomainDetail
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.widgets.line import Line
from tuivirt.widgets.tones import Toned
from tuivirt.widgets.xml_view import XmlView

from .paged import PagedScreen
from .telling import in_lines

_PARTS = {"snapshotname": "snapshot", "checkpointname": "checkpoint"}
"""By the option that names one: a part of a domain that has XML of its own."""


class XmlScreen(PagedScreen):
    """What ``y`` opens."""

    HELP = (
        "The XML that libvirt keeps of the object. A domain that runs has two: what it runs with, "
        "and what it will start with the next time; v turns between them. / searches, n and N go "
        "on, shift and the arrows move sideways."
    )
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("v", "live or saved"),
        ("/", "search"),
        ("n N", "next, before"),
        (":", "go to"),
        ("?", "help"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "turn", "Live or saved", show=False, id="xml.turn"),
    ]

    def __init__(self, ref: Ref, values: Mapping[str, Any] | None = None) -> None:
        """``values``: of the action that shows it; they may name a part of the object."""
        super().__init__()
        self.ref = ref
        named = values or {}
        self._part = next(((part, str(named[w])) for w, part in _PARTS.items() if w in named), None)
        self._title = Line(id="title")
        self._view = XmlView(id="xml")
        self._view.show_note("Reading the XML …")
        self._texts: dict[str, str] = {}
        self._shown = ""
        self._asked_for: object = None

    def compose_body(self) -> ComposeResult:
        yield self._title
        yield self._view

    def targets(self) -> tuple[Ref, ...]:
        return (self.ref,)

    def show_fleet(self, fleet: Fleet) -> None:
        thing = fleet.find(self.ref)
        # The object's record is replaced when libvirt told of a change: then it is read again.
        if self._asked_for is None or (thing is not None and thing is not self._asked_for):
            self._asked_for = thing or self.ref
            if self._part is not None:
                asked = (self.ref.key, *self._part)
                self.look_up(self.ref.host, lookups.part_xml, *asked, then=self._show_other)
            elif self.ref.kind is Kind.DOMAIN:
                self.look_up(
                    self.ref.host, lookups.domain_detail, self.ref.key, then=self._show_domain
                )
            else:
                self.look_up(self.ref.host, lookups.xml_of, self.ref, then=self._show_other)
        self._show_title(getattr(thing, "name", self.ref.key))

    def _show_domain(self, answer: Any) -> None:
        if isinstance(answer, DomainDetail):
            texts = {"live": answer.live_xml, "saved": answer.saved_xml}
            self._show({name: xml for name, xml in texts.items() if xml})
        else:
            self._fail(answer)

    def _show_other(self, answer: Any) -> None:
        if isinstance(answer, str):
            self._show({"": answer})
        else:
            self._fail(answer)

    def _fail(self, error: Any) -> None:
        if not self._texts:
            self._view.show_note(in_lines(error))

    def _show(self, texts: dict[str, str]) -> None:
        self._texts = texts
        if self._shown not in texts:
            self._shown = next(iter(texts), "")
        self._view.show_xml(texts.get(self._shown, ""))
        self.show_fleet(self.fleet)

    def _show_title(self, name: str) -> None:
        words = {"live": "live: what it runs with", "saved": "saved: what it starts with"}
        pieces = [Toned(f" {name}", "bold"), Toned(f"   {self.ref.kind} XML", "dim")]
        if self._part is not None:
            part, called = self._part
            pieces[1:] = [Toned(f"   {part} "), Toned(called, "accent"), Toned(" XML", "dim")]
        if self._shown:
            pieces.append(Toned(f"   {words[self._shown]}", "accent"))
        if len(self._texts) == 2:
            same = self._texts["live"] == self._texts["saved"]
            pieces.append(Toned("   both are the same" if same else "   v shows the other", "dim"))
        self._title.show(pieces, [Toned(f"{len(self._view.lines)} lines ", "dim")])

    def action_turn(self) -> None:
        if len(self._texts) == 2:
            self._shown = "saved" if self._shown == "live" else "live"
            self._view.show_xml(self._texts[self._shown])
            self.show_fleet(self.fleet)
        else:
            self.say("there is only one configuration")
