"""Searching what a terminal shows and has shown."""

from __future__ import annotations

from tuivirt.backend.model.terminal import Found, Match

from .native import TerminalHandle, check, ffi, lib

_SHOWN = 512
"""Matches in view that are marked; more would be a screen full of one letter."""


class Search:
    """One text searched for in one terminal; its caller holds the terminal's lock."""

    def __init__(self, terminal: TerminalHandle, text: str) -> None:
        self._terminal = terminal
        holder = ffi.new("GhosttySearch *")
        check(lib.ghostty_search_new(ffi.NULL, holder, terminal.raw), "search_new")
        self._raw = holder[0]
        data = text.encode()
        self._needle = ffi.new("char[]", data)
        needle = ffi.new("GhosttyString *")
        needle.ptr = ffi.cast("uint8_t *", self._needle)
        needle.len = len(data)
        check(lib.ghostty_search_set(self._raw, lib.GHOSTTY_SEARCH_OPT_NEEDLE, needle), "needle")
        self._selected = False

    def found(self) -> Found:
        """What there is now: the guest may have printed more."""
        check(lib.ghostty_search_feed(self._raw), "search_feed")
        check(lib.ghostty_search_run(self._raw), "search_run")
        total = ffi.new("size_t *")
        lib.ghostty_search_get(self._raw, lib.GHOSTTY_SEARCH_DATA_TOTAL_MATCHES, total)
        index = ffi.new("size_t *")
        known = lib.ghostty_search_get(self._raw, lib.GHOSTTY_SEARCH_DATA_SELECTED_INDEX, index)
        selected = index[0] if known == 0 and self._selected else None
        return Found(total[0], selected, tuple(self._shown()))

    def step(self, older: bool) -> Found:
        """Select the next match and have it shown."""
        self.found()
        option = lib.GHOSTTY_SEARCH_OPT_SELECT_NEXT if older else lib.GHOSTTY_SEARCH_OPT_SELECT_PREV
        lib.ghostty_search_set(self._raw, option, ffi.NULL)
        self._selected = True
        return self.found()

    def _shown(self) -> list[Match]:
        buffer = ffi.new("GhosttySelectionBuffer *")
        room = ffi.new("GhosttySelection[]", _SHOWN)
        for one in range(_SHOWN):
            room[one].size = ffi.sizeof("GhosttySelection")
        buffer.ptr, buffer.cap = room, _SHOWN
        lib.ghostty_search_get(self._raw, lib.GHOSTTY_SEARCH_DATA_VIEWPORT_MATCHES, buffer)
        matches: list[Match] = []
        for one in range(min(buffer.len, _SHOWN)):
            matches.extend(self._match(room[one]))
        return matches

    def _match(self, selection: object) -> list[Match]:
        ends = []
        for end in ("start", "end"):
            point = ffi.new("GhosttyPointCoordinate *")
            ref = ffi.new("GhosttyGridRef *", getattr(selection, end))
            tag = lib.GHOSTTY_POINT_TAG_VIEWPORT
            if lib.ghostty_terminal_point_from_grid_ref(self._terminal.raw, ref, tag, point):
                return []
            ends.append((point.x, point.y))
        (first, top), (last, bottom) = ends
        if top == bottom:
            return [Match(top, first, last)]
        width = self._terminal.get("COLS", "uint16_t")[0]
        rows = [Match(top, first, width - 1), Match(bottom, 0, last)]
        return rows[:1] + [Match(y, 0, width - 1) for y in range(top + 1, bottom)] + rows[1:]

    def close(self) -> None:
        """End the search."""
        lib.ghostty_search_free(self._raw)
