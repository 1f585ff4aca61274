"""The import contract of the house: a room may import what its row of the table lists.

An allow-list, where import-linter's own contracts are deny-lists: a module that is added later
is refused until the table says otherwise. Direct imports are enough, as each room has its own
contract.
"""

from __future__ import annotations

from typing import Any, ClassVar

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

MARKERS: frozenset[str] = frozenset(
    {"libvirt", "libvirt_qemu", "lxml", "psutil", "pyghostty", "rich", "textual"}
)
"""The libraries that mark a room; the standard library is free to all."""


def _within(module: str, packages: frozenset[str]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def strays(
    graph: ImportGraph,
    rooms: frozenset[str],
    but_not: frozenset[str] = frozenset(),
    may_import: frozenset[str] = frozenset(),
) -> list[tuple[str, str, int]]:
    """(importer, imported, line) of each import that the room's row does not list, sorted.

    Raises ValueError when a room does not exist: a contract about nothing would always hold.
    """
    missing = sorted(room for room in rooms | but_not if room not in graph.modules)
    if missing:
        raise ValueError(f"no such room: {', '.join(missing)}")
    ours = frozenset(room.split(".")[0] for room in rooms)
    found = []
    for importer in graph.modules:
        if not _within(importer, rooms) or _within(importer, but_not):
            continue
        for imported in graph.find_modules_directly_imported_by(importer):
            if not _within(imported, ours | MARKERS) or imported in ours:
                continue
            at_home = _within(imported, rooms) and not _within(imported, but_not)
            if at_home or _within(imported, may_import):
                continue
            details = graph.get_import_details(importer=importer, imported=imported)
            line = details[0]["line_number"] if details else 0
            found.append((importer, imported, line))
    return sorted(found)


def _names(field: Any) -> frozenset[str]:
    """What a field was given; import-linter puts the value in the field's own place."""
    return frozenset(map(str, field or ()))


class RoomContract(Contract):
    """``rooms`` (without ``but_not``) import nothing of ours but themselves and ``may_import``."""

    type_name: ClassVar[str] = "room"

    rooms = fields.SetField(subfield=fields.StringField())
    but_not = fields.SetField(subfield=fields.StringField(), required=False)
    may_import = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Look at each direct import of each module of the room."""
        found = strays(
            graph,
            _names(self.rooms),
            _names(self.but_not),
            _names(self.may_import),
        )
        return ContractCheck(kept=not found, metadata={"found": found})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line for each import that does not belong."""
        for importer, imported, line in check.metadata["found"]:
            output.print_error(f"{importer}:{line} imports {imported}")
        output.new_line()
