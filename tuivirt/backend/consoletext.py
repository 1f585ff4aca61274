"""What a guest printed, as lines of plain text: nothing of it can steer a terminal that shows them.

A console is drawn on, a log is read from top to bottom, so this is simple on purpose:

- a carriage return, backspaces and the sequences that move within a line (CSI C D G) go back or
  on in the line, and what comes then overwrites what is there, character by character; CSI K, J,
  P and @ erase, delete and insert;
- what goes to another line (cursor addressing, clearing the screen) ends the line, if anything
  is in it;
- all other sequences (colours, titles, DCS, APC …) and control characters are dropped, and so
  are the characters that turn text around or draw nothing; a tab becomes blanks;
- malformed UTF-8, and what Unicode has not assigned, becomes U+FFFD.

How the bytes are cut into pieces makes no difference. Source: ECMA-48, xterm's ctlseqs.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

LINE_CHARS = 16 * 1024
"""A longer line is broken: 64 KiB at most, as UTF-8."""
GOES_ON = " […]"
"""The end of a line that was broken."""
STRING_CHARS = 64 * 1024
"""A title or another string that has not ended by then never will: the rest is text."""
TAB = 8
BLANKS = 256
"""How far a cursor may go beyond the end of the line."""

_RUN = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")
# Two that save most of the time: a whole line, and colours.
_LINE = re.compile(rf"([^\x00-\x1f\x7f-\x9f]{{0,{LINE_CHARS - 1}}})\r?\n")
_COLOURS = re.compile(r"(?:\x1b\[[\d;]*m)+")
_PARAMETERS = re.compile(r"[ -?]+")
_STRING = re.compile(r"[^\x07\x18\x1a\x1b\x9c]+")
_NUMBERS = re.compile(r"(\d{0,5})(?:;\d{0,5}){0,7}")
_STRINGS = "\x90\x98\x9d\x9e\x9f"
_DROPPED = ("Cc", "Cf", "Cs", "Zl", "Zp")


def harmless(text: str) -> str:
    """``text`` without what steers a terminal or turns text around."""
    if text.isprintable():
        return text
    return "".join(map(_harmless, text))


def _harmless(char: str) -> str:
    if char.isprintable():
        return char
    category = unicodedata.category(char)
    if category in _DROPPED:
        return ""
    return " " if category == "Zs" else "\N{REPLACEMENT CHARACTER}"


class ConsoleText:
    """Bytes in, finished lines out."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._state = self._in_text
        self._line = ""
        self._column = 0
        self._parameters = ""
        self._swallowed = 0
        self._done: list[str] = []

    @property
    def unfinished(self) -> bool:
        """Whether there is something in the line that has not ended."""
        return bool(self._line)

    def feed(self, data: bytes) -> list[str]:
        """The lines that end in ``data``, without their ends."""
        return self._take(self._decoder.decode(data))

    def end(self) -> list[str]:
        """What is left: a line without an end."""
        self._take(self._decoder.decode(b"", final=True))
        self._break()
        return self._given()

    def _take(self, text: str) -> list[str]:
        at, end = 0, len(text)
        while at < end:
            at = self._state(text, at)
        return self._given()

    def _given(self) -> list[str]:
        done, self._done = self._done, []
        return done

    # Where in a sequence we are: each takes what it knows at ``at``, and says where it stopped.

    def _in_text(self, text: str, at: int) -> int:
        if not self._line and not self._column:
            whole = _LINE.match(text, at)
            if whole is not None:
                self._emit(harmless(whole[1]))
                return whole.end()
        run = _RUN.match(text, at)
        if run is None:
            colours = _COLOURS.match(text, at)
            if colours is not None:
                return colours.end()
            self._control(text[at])
            return at + 1
        self._put(harmless(run[0]))
        return run.end()

    def _in_escape(self, text: str, at: int) -> int:
        char = text[at]
        if char == "[":
            self._state, self._parameters = self._in_csi, ""
        elif char in "]PX^_":
            self._state, self._swallowed = self._in_string, 0
        elif " " <= char <= "/":
            self._state = self._in_designation
        elif "0" <= char <= "~":
            self._state = self._in_text
            if char in "cDE":  # Reset, index, next line.
                self._break()
        else:
            return self._amid(char, at)
        return at + 1

    def _in_designation(self, text: str, at: int) -> int:
        char = text[at]
        if " " <= char <= "~":
            self._state = self._in_designation if char <= "/" else self._in_text
            return at + 1
        return self._amid(char, at)

    def _in_csi(self, text: str, at: int) -> int:
        run = _PARAMETERS.match(text, at)
        if run is not None:
            self._parameters = (self._parameters + run[0][:64])[:64]
            return run.end()
        char = text[at]
        if "@" <= char <= "~":
            self._state = self._in_text
            self._sequence(char)
            return at + 1
        return self._amid(char, at)

    def _in_string(self, text: str, at: int) -> int:
        run = _STRING.match(text, at, at + STRING_CHARS - self._swallowed)
        if run is not None:
            self._swallowed += run.end() - at
            return run.end()
        if self._swallowed >= STRING_CHARS:
            self._state = self._in_text
            return at
        # What ends it in a way of its own is an escape sequence: ``ESC \\`` among them.
        self._state = self._in_escape if text[at] == "\x1b" else self._in_text
        return at + 1

    def _amid(self, char: str, at: int) -> int:
        """A character that no sequence holds: a control is done at once, text ends it."""
        if char in "\x18\x1a":
            self._state = self._in_text
        elif char <= "\x7f":
            self._control(char)
        else:
            self._state = self._in_text
            return at
        return at + 1

    # What is done to the line

    def _control(self, char: str) -> None:
        if char in "\n\v\f\x85":
            self._emit(self._line)
        elif char == "\r":
            self._column = 0
        elif char == "\b":
            self._column = max(0, self._column - 1)
        elif char == "\t":
            self._put(" " * (TAB - self._column % TAB))
        elif char == "\x1b":
            self._state = self._in_escape
        elif char == "\x9b":
            self._state, self._parameters = self._in_csi, ""
        elif char in _STRINGS:
            self._state, self._swallowed = self._in_string, 0

    def _put(self, text: str) -> None:
        while text:
            room = LINE_CHARS - self._column
            part, text = text[:room], text[room:]
            behind = self._column + len(part)
            self._line = self._line[: self._column] + part + self._line[behind:]
            self._column = behind
            if self._column == LINE_CHARS:
                self._emit(self._line + GOES_ON)

    def _emit(self, line: str) -> None:
        self._done.append(line.rstrip(" "))
        self._line, self._column = "", 0

    def _break(self) -> None:
        """The line ends without having been ended."""
        if self._line.strip(" "):
            self._emit(self._line)
        self._line, self._column = "", 0

    def _sequence(self, final: str) -> None:
        numbers = _NUMBERS.fullmatch(self._parameters)
        if numbers is None:
            return  # One of a terminal's own, as those with a question mark.
        number = int(numbers[1] or 0)
        count = max(1, number)
        line, column = self._line, self._column
        if final in "HfdABEF" or (final == "J" and number >= 2):
            self._break()
        elif final in "KJ" and number == 0:
            self._line = line[:column]
        elif final == "K" and number == 2:
            self._line = " " * column
        elif final == "C":
            self._go(column + count)
        elif final == "D":
            self._go(column - count)
        elif final in "G`":
            self._go(count - 1)
        elif final == "P":
            self._line = line[:column] + line[column + count :]
        elif final == "@":
            self._line = (line[:column] + " " * min(count, BLANKS) + line[column:])[:LINE_CHARS]

    def _go(self, column: int) -> None:
        self._column = max(0, min(column, max(len(self._line), BLANKS)))
        self._line = self._line.ljust(self._column)
