"""What is written to the log can be read on a terminal."""

from __future__ import annotations

import logging

from tuivirt.logfile import Harmless


def test_what_guests_and_uris_say_is_harmless_in_the_log() -> None:
    record = logging.LogRecord("t", logging.ERROR, "", 1, "%s", ("web\x1b]0;x\x07",), None)
    assert Harmless("%(message)s").format(record) == "web␛]0;x␇"
    record = logging.LogRecord("t", logging.ERROR, "", 1, "a\nqemu+tcp://u:pw@h/system", (), None)
    assert Harmless("%(message)s").format(record) == "a\nqemu+tcp://u@h/system"
