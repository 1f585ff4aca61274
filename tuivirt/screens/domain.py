"""One domain: figures, disks, interfaces, devices, XML, events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from tuivirt.actions import lookups
from tuivirt.actions.happenings import Happening
from tuivirt.backend.model.device import Disk, DomainDetail
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.fleet import Fleet
from tuivirt.backend.model.ref import Kind, Ref
from tuivirt.backend.model.task import TaskState
from tuivirt.widgets.line import Line
from tuivirt.widgets.live_table import LiveTable
from tuivirt.widgets.page import Page
from tuivirt.widgets.tab_line import TabLine
from tuivirt.widgets.text import share
from tuivirt.widgets.tones import Toned
from tuivirt.widgets.xml_view import XmlView

from .backups_view import BackupsView
from .domain_overview import overview
from .domain_rows import (
    DEVICE_COLUMNS,
    DISK_COLUMNS,
    INTERFACE_COLUMNS,
    Row,
    columns_for,
    device_rows,
    disk_rows,
    interface_rows,
)
from .happened import event_rows, events_table
from .paged import PagedScreen
from .parts_view import PartsView
from .processors_view import ProcessorsView
from .snapshots_view import SnapshotsView
from .telling import in_lines
from .whereabouts import where_it_went
from .words import state_cell

if TYPE_CHECKING:
    from .removing import Removing

TABS = ("overview", "disks", "interfaces", "devices", "processors", "xml", "events", "snapshots",
        "backups")  # fmt: skip

_OF_A_DISK = {"detach-disk": "target", "change-media": "path"}
"""Actions that on the disks tab are meant for the disk under the cursor, by their parameter."""
_DRIVES = ("cdrom", "floppy")
WIDE = 106
"""From this width on the line of tabs has room for whole words."""


class DomainScreen(PagedScreen):
    """What ``⏎`` on a domain opens."""

    HELP = (
        "One domain. The digits, tab and the arrows turn between its tabs; the actions of the list "
        "hold here too, for this domain. ↯ marks what differs between what it runs with and what "
        "it will start with: “next boot” comes then, “until shutdown” goes then, “changes at boot” "
        "says something else then. On the tabs of devices, detach takes the one under the cursor "
        "away, or all that are marked; a change of medium is about the disk under the cursor. On "
        "the tab of CPU and memory, Enter pins the thread under the cursor to CPUs of the host; on "
        "that of snapshots it goes back to that under the cursor, + takes one, - deletes it, e "
        "describes it, y shows its XML; on that of backups b begins one, and Enter one of what was "
        "written since the checkpoint under it. On the tab of XML, v turns between live and saved."
    )
    KIND = Kind.DOMAIN
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("1…9 tab", "turn"),
        ("a", "actions"),
        ("c", "console"),
        ("/", "search"),
        (":", "go to"),
        ("?", "help"),
    )
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(n + 1), f"tab({n})", f"Tab {word}", show=False, id=f"domain.{word}")
            for n, word in enumerate(TABS)
        ),
        Binding("tab,right", "turn(1)", "Next tab", show=False, id="domain.next"),
        Binding("shift+tab,left", "turn(-1)", "Tab before", show=False, id="domain.previous"),
        Binding("v", "turn_xml", "Live or saved XML", show=False, id="domain.turn-xml"),
    ]

    def __init__(self, ref: Ref) -> None:
        super().__init__()
        self.ref = ref
        self._tab = 0
        self._title = Line(id="title")
        self._tabs = TabLine(id="tabs")
        self._overview = Page(id="overview")
        reading = "Reading the configuration …"
        self._disks: LiveTable[Row[Disk]] = LiveTable(
            DISK_COLUMNS,
            caption="Disks",
            sort="target",
            search=lambda r: f"{r.device.target} {r.device.source} {r.device.bus} {r.when}",
            empty=reading,
            id="disks",
        )
        self._interfaces: LiveTable[Any] = LiveTable(
            INTERFACE_COLUMNS,
            caption="Interfaces",
            search=lambda r: f"{r.device.mac} {r.device.type} {r.device.source} {r.device.target}",
            empty=reading,
            id="interfaces",
        )
        self._devices: LiveTable[Any] = LiveTable(
            DEVICE_COLUMNS,
            caption="Other devices",
            search=lambda r: f"{r.device.kind} {r.device.summary} {r.device.address}",
            empty=reading,
            id="devices",
        )
        self._processors = ProcessorsView(id="processors")
        self._xml = XmlView(id="xml")
        self._xml.show_note(reading)
        self._events: LiveTable[Happening] = events_table(
            one_object=True, empty="Nothing happened to it since tuivirt was started.", id="events"
        )
        self._snapshots = SnapshotsView(id="snapshots")
        self._backups = BackupsView(id="backups")
        self._detail: DomainDetail | None = None
        self._saved_xml = False
        self._asked_for: object = None
        self._domain: Domain | None = None
        self._newest = 0
        self.removing: list[Removing] = []
        """Devices that are being taken away together."""

    def compose_body(self) -> ComposeResult:
        yield self._title
        yield self._tabs
        yield from self._views

    @property
    def _views(self) -> tuple[Widget, ...]:
        return (
            self._overview,
            self._disks,
            self._interfaces,
            self._devices,
            self._processors,
            self._xml,
            self._events,
            self._snapshots,
            self._backups,
        )

    def on_mount(self) -> None:
        self.action_tab(0)

    # What the base asks

    def focus_ref(self) -> Ref | None:
        return self.ref

    def targets(self) -> tuple[Ref, ...]:
        return (self.ref,)

    @property
    def table(self) -> LiveTable[Any] | None:
        view = self._views[self._tab]
        if isinstance(view, (ProcessorsView, PartsView)):
            return view.table
        return view if isinstance(view, LiveTable) else None

    def show_fleet(self, fleet: Fleet) -> None:
        domain = fleet.domain(self.ref)
        if domain is None:
            self._title.show([Toned(f" {where_it_went(self.ref, self._domain, fleet)}", "warn")])
            return
        self._domain = domain
        self._tell_of_removals(fleet)
        self._ask_when_changed(fleet, domain)
        self._show_title(domain, fleet)
        self._show_tabs()
        stats = fleet.stats(self.ref)
        view = self._views[self._tab]
        if view is self._overview:
            size = self._overview.size
            width, height = size.width or self.app.size.width, size.height or 18
            self._overview.show(overview(domain, stats, self._detail, width, height))
        elif isinstance(view, (ProcessorsView, PartsView)):
            view.ask(domain, self._asked_for, self.look_up, lambda: self.show_fleet(self.fleet))
            if view is self._processors:
                self._processors.show(stats)
            elif view is self._backups:
                self._backups.show_last(fleet.tasks, self.ref)
        elif view is self._events:
            log = self.joint.events_log
            newest = id(log[-1]) if log else 0
            if newest != self._newest:
                self._newest = newest
                self._events.update(event_rows(log, self._mine))
        elif self._detail is not None:
            self._show_part(view, domain, fleet)

    def _tell_of_removals(self, fleet: Fleet) -> None:
        for removing in tuple(self.removing):
            if (told := removing.ended(fleet)) is not None:
                self.removing.remove(removing)
                self.say(*told)

    def _mine(self, row: Happening) -> bool:
        return row.ref == self.ref

    def _show_part(self, view: Widget, domain: Domain, fleet: Fleet) -> None:
        detail = self._detail
        assert detail is not None
        if view is self._disks:
            self._disks.set_empty("No disks.\n+ attaches one.")
            _fill(self._disks, DISK_COLUMNS, disk_rows(domain, detail, fleet.stats(self.ref)))
        elif view is self._interfaces:
            self._interfaces.set_empty("No network interfaces.")
            _fill(self._interfaces, INTERFACE_COLUMNS, interface_rows(domain, detail))
        elif view is self._devices:
            self._devices.set_empty("No other devices.")
            _fill(self._devices, DEVICE_COLUMNS, device_rows(domain, detail))
        elif view is self._xml:
            self._xml.show_xml(self._xml_text(detail))

    def _xml_text(self, detail: DomainDetail) -> str:
        if self._saved_xml and detail.saved_xml:
            return detail.saved_xml
        return detail.live_xml or detail.saved_xml

    # The configuration

    def _ask_when_changed(self, fleet: Fleet, domain: Domain) -> None:
        """Look the configuration up again whenever something told that it may be another one."""
        log = reversed(self.joint.events_log)
        heard = next((e.at for e in log if getattr(e, "key", "") == self.ref.key), 0.0)
        ended = [
            t.id for t in fleet.tasks if t.target == self.ref and t.state is not TaskState.RUNNING
        ]
        token = (domain.id, domain.name, domain.pending, domain.detaching, heard, ended[-1:])
        if token != self._asked_for:
            self._asked_for = token
            self.look_up(self.ref.host, lookups.domain_detail, self.ref.key, then=self._answered)

    def _answered(self, answer: Any) -> None:
        if isinstance(answer, DomainDetail):
            self._detail = answer
        elif self._detail is None:
            text = in_lines(answer)
            for table in (self._disks, self._interfaces, self._devices):
                table.set_empty(text)
            self._xml.show_note(text)
        else:
            self.say(str(answer), "error")
        self.show_fleet(self.fleet)

    # The lines above the view

    def _show_title(self, domain: Domain, fleet: Fleet) -> None:
        stats = fleet.stats(self.ref)
        state = state_cell(domain, fleet.hosts.get(domain.host))
        pieces = [Toned(f" {domain.name}", "bold"), Toned("   "), state]
        if domain.vcpus is not None:
            pieces.append(Toned(f"   {domain.vcpus} vCPU"))
        if domain.memory_kib and domain.active:
            used = stats.memory_used_kib if stats else None
            pieces.append(Toned(f"   {share(used, domain.memory_kib)}"))
        pieces += [Toned(f"   {address}") for address in domain.addresses]
        if domain.autostart:
            pieces.append(Toned("   autostart"))
        if not domain.persistent:
            pieces.append(Toned("   transient", "warn"))
        if domain.tags:
            pieces.append(Toned("   " + " ".join(f"#{tag}" for tag in domain.tags), "accent"))
        self._title.show(pieces)

    def _show_tabs(self) -> None:
        detail = self._detail
        counts: dict[str, int] = {}
        if detail is not None and self._domain is not None:
            counts = {
                "disks": len(disk_rows(self._domain, detail, None)),
                "interfaces": len(interface_rows(self._domain, detail)),
                "devices": len(device_rows(self._domain, detail)),
            }
        wide = self.app.size.width >= WIDE
        if wide and self._snapshots.count:
            counts["snapshots"] = self._snapshots.count
        words = {
            "interfaces": "Network" if wide else "Net",
            "xml": "XML",
            "processors": "CPU & memory" if wide else "CPU",
            "snapshots": "Snapshots" if wide else "Snap",
            "devices": "Devices" if wide else "Dev",
            "backups": "Backups" if wide else "Bkup",
        }
        labels = []
        for name in TABS:
            label = words.get(name, name.capitalize())
            if name in counts:
                label += f" {counts[name]}"
            labels.append(label)
        if detail is not None and detail.live_xml and detail.saved_xml:
            labels[TABS.index("xml")] = "XML saved" if self._saved_xml else "XML live"
        self._tabs.show_tabs(labels, self._tab)

    # Keys

    def action_tab(self, index: int) -> None:
        self._tab = index
        for number, view in enumerate(self._views):
            view.display = number == index
        self._views[index].focus()
        self.show_fleet(self.fleet)
        self.call_after_refresh(self.show_fleet, self.fleet)

    def action_turn(self, step: int) -> None:
        self.action_tab((self._tab + step) % len(TABS))

    def on_tab_line_picked(self, event: TabLine.Picked) -> None:
        self.action_tab(event.index)

    def on_processors_view_pinned(self, event: ProcessorsView.Pinned) -> None:
        self.joint.act(event.action, self.targets(), event.values)

    def on_parts_view_wished(self, event: PartsView.Wished) -> None:
        self.joint.act(event.action, self.targets(), event.values)

    def action_turn_xml(self) -> None:
        detail = self._detail
        if detail is None or not (detail.live_xml and detail.saved_xml):
            self.say("there is only one configuration", "warning")
            return
        if TABS[self._tab] == "xml":
            self._saved_xml = not self._saved_xml
        else:
            self.action_tab(TABS.index("xml"))
        self.show_fleet(self.fleet)

    def action_xml(self) -> None:
        self.action_tab(TABS.index("xml"))

    def action_act(self, name: str) -> None:
        view = self._views[self._tab]
        if isinstance(view, PartsView) and (wish := view.wish_for(name)) is not None:
            self.joint.act(wish[0], self.targets(), wish[1])
            return
        if name == "detach-disk" and self._remove():
            return
        parameter = _OF_A_DISK.get(name)
        target = self._disk_for(name) if parameter is not None else ""
        if parameter is not None and target:
            self.joint.act(name, self.targets(), {parameter: target})
        else:
            self.act(name)

    def _remove(self) -> bool:
        """Take away the devices that are marked, or the one under the cursor.

        False where there is none, or where it is a single disk: that has its own way.
        """
        view = self._views[self._tab]
        if self._detail is None or view not in (self._disks, self._interfaces, self._devices):
            return False
        table = view
        chosen = [row.device for key in table.targets if (row := table.row(key)) is not None]
        if not chosen or (len(chosen) == 1 and view is self._disks):
            return False
        from .removing import begin_removing  # With the catalogue: when it is asked for.

        begin_removing(self, chosen, self._detail, table.clear_marks)
        return True

    def _disk_for(self, action: str) -> str:
        """The disk an action means: the one under the cursor; a medium, the only drive there is."""
        row = self._disks.row(self._disks.cursor) if TABS[self._tab] == "disks" else None
        if action == "detach-disk":
            if row is not None and len(self._disks.targets) == 1:
                # One that is marked goes before the one under the cursor.
                row = self._disks.row(next(iter(self._disks.targets)))
            return row.device.target if row is not None else ""
        if row is not None and row.device.device in _DRIVES:
            return row.device.target
        disks = self._detail.current.disks if self._detail is not None else ()
        drives = [disk.target for disk in disks if disk.device in _DRIVES]
        return drives[0] if len(drives) == 1 else ""


def _fill(table: LiveTable[Any], columns: tuple[Any, ...], rows: dict[Any, Row[Any]]) -> None:
    table.use_columns(columns_for(columns, rows.values()))
    table.update(rows)
