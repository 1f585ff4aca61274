"""Random terminal output: by a grammar of control sequences, and plain rubbish."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

_NUMBERS = (0, 1, 2, 3, 4, 5, 7, 8, 10, 24, 25, 79, 80, 81, 127, 128, 255, 256, 999, 1000, 1049)
_HUGE = (9999, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64, 10**30)
_MODES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 20, 25, 40, 45, 47, 66, 67, 69, 80, 95, 1000, 1002, 1003,
          1004, 1005, 1006, 1007, 1015, 1016, 1034, 1035, 1036, 1045, 1047, 1048, 1049, 2004, 2026,
          2027, 2031, 2048, 5522)  # fmt: skip
_COMMANDS = (0, 1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 13, 17, 21, 22, 50, 52, 66, 99, 104, 105, 110, 111,
             112, 117, 133, 176, 633, 777, 1337, 3008, 5522)  # fmt: skip
_FINALS = "@ABCDEFGHIJKLMPSTWXZ`abcdefghilmnpqrstuvwxyz{|}~"
_LETTERS = (
    "abcdefghij ABCXYZ 0123 äöüß éñ",
    "漢字仮名交じり文 한국어 ｆｕｌｌ",
    "e\u0301a\u0308o\u0302\u0303\u20dd x\u0336",
    "👩\u200d👩\u200d👧\u200d👦 👍🏽 ❤\ufe0f ☎\ufe0e 🇩🇪🇫🇷 1\ufe0f\u20e3",
    "🏴\U000e0067\U000e0062\U000e007f x",
    "עברית عربي नमस्ते ไทย ক্ষ",
    "\u202e\u2066\u200f\u200b\u2060\ufeff\u00ad\u2028\u2029\ufff9\u061c\u180e\u115f\u3164",
    "\U0010ffff\ue000\ufdd0\ufffe\ufffd",
)
_WORDS = ("title", "?", "red", "rgb:ff/00/7f", "#fff", "file:///x", "c;aGVsbG8=", "p;?", "A",
          "B", "C", "D;1", "i=1,a=T,f=32,s=1,v=1;AAAA", "id=a;http://x/", ";", "m", "r", "q", '"p',
          "1;2", "544e", "4;5;6", "i=1:d=0", "set;a;b", "$q", "File=inline=1:AAAA")  # fmt: skip


def number(rng: random.Random) -> str:
    """A parameter: usual, at an edge, huge, or missing."""
    kind = rng.random()
    if kind < 0.15:
        return ""
    if kind < 0.7:
        return str(rng.choice(_NUMBERS))
    if kind < 0.9:
        return str(rng.randrange(300))
    return str(rng.choice(_HUGE))


def parameters(rng: random.Random) -> str:
    """Few as a rule, sometimes very many."""
    count = rng.choice((0, 1, 1, 1, 2, 2, 3, 5, 8, 16, 24, 33, 70))
    between = rng.choice((";", ";", ";", ":"))
    return between.join(number(rng) for _ in range(count))


def csi(rng: random.Random) -> bytes:
    """A control sequence."""
    private = rng.choice(("", "", "", "?", ">", "=", "<"))
    between = rng.choice(("", "", "", "", " ", "!", '"', "$", "'", "*", "+", "$ "))
    return f"\x1b[{private}{parameters(rng)}{between}{rng.choice(_FINALS)}".encode()


def mode(rng: random.Random) -> bytes:
    """A mode, set or reset, asked for, saved or restored."""
    return f"\x1b[?{rng.choice(_MODES)}{rng.choice(('h', 'h', 'l', 's', 'r', '$p'))}".encode()


def margins(rng: random.Random) -> bytes:
    """Margins above, below, left and right, and a place within them."""
    top, left = rng.randrange(30), rng.randrange(30)
    return (
        f"\x1b[{top};{top + rng.randrange(-2, 30)}r\x1b[?69h"
        f"\x1b[{left};{left + rng.randrange(-2, 60)}s\x1b[{rng.randrange(40)};{rng.randrange(90)}H"
    ).encode()


def sgr(rng: random.Random) -> bytes:
    """Colours and attributes."""
    which = rng.randrange(4)
    if which == 0:
        return f"\x1b[{rng.randrange(30, 108)}m".encode()
    if which == 1:
        return f"\x1b[{rng.choice((38, 48, 58))};5;{rng.randrange(260)}m".encode()
    if which == 2:
        red, green, blue = (rng.randrange(260) for _ in range(3))
        return f"\x1b[{rng.choice((38, 48, 58))}:2::{red}:{green}:{blue}m".encode()
    return f"\x1b[{rng.randrange(30)}m".encode()


def escape(rng: random.Random) -> bytes:
    """An escape sequence."""
    between = rng.choice(("", "", "", "#", "(", ")", "*", "+", "-", ".", "/", "%", " ", "$("))
    return f"\x1b{between}{rng.choice('0123456789=>ABDEFGHMNOVWZcdlmno|}~@')}".encode()


def string(rng: random.Random) -> bytes:
    """An OSC, DCS, APC, PM or SOS, whole or broken off."""
    kind = rng.choice("]]]P_^X")
    head = str(rng.choice(_COMMANDS)) + ";" if kind == "]" else ""
    if kind == "P":
        head = rng.choice(("$q", "+q", "1000p", "q", "0;1|", "", "=1s", "1$t", ">|", "!z"))
    if kind == "_":
        head = rng.choice(("G", "G", "25a1;", "", "x"))
    body = rng.choice((lambda: rng.choice(_WORDS).encode(), lambda: rubbish(rng)))()
    end = rng.choice(("\x07", "\x1b\\", "\x1b\\", "\x18", "\x1a", "")).encode()
    times = rng.choice((1, 1, 1, 1, 300, 20_000))
    return f"\x1b{kind}{head}".encode() + body * times + end


def letters(rng: random.Random) -> bytes:
    """Text of many scripts."""
    some = rng.choice(_LETTERS)
    return "".join(rng.choices(some, k=rng.randrange(1, 60))).encode("utf-8", "surrogatepass")


def lines(rng: random.Random) -> bytes:
    """Enough to scroll."""
    return b"".join(b"line %d\r\n" % one for one in range(rng.choice((3, 30, 300))))


def control(rng: random.Random) -> bytes:
    """Control characters, C1 too, as bytes and as UTF-8 has them."""
    if rng.random() < 0.3:
        return chr(rng.randrange(0x80, 0xA0)).encode()
    return bytes(rng.choices([*range(0x20), 0x7F, *range(0x80, 0xA0)], k=rng.randrange(1, 5)))


def heap(rng: random.Random) -> bytes:
    """Much of one thing: marks on one cell, repetitions, tab stops, moves, links."""
    much = rng.choice((50, 500, 5000))
    return rng.choice(
        (
            b"e" + "\u0301".encode() * much,
            "👩".encode() + "\u200d👩".encode() * much,
            f"x\x1b[{10 ** rng.randrange(1, 12)}b".encode(),
            f"\x1b[{10 ** rng.randrange(1, 12)}{rng.choice('@LMPSTXABCDEFGIZ')}".encode(),
            b"\x1b[6n" * much,
            b" \x1bH" * much,
            b"\x1b[>1u\x1b7\x1b[?1s\x1b[22t\x1b[#{\x1b[#P" * much,
            b"".join(b"\x1b]8;;http://%d\x07x" % one for one in range(much)),
            b"".join(b"\x1b[38;2;%d;%d;%dmx" % (one % 251, one % 241, 9) for one in range(much)),
            b"".join(b"\x1b]2;%d\x07" % one for one in range(much)),
            b"\x1b[?1049h\x1b[?1049l" * much,
            b"\x1b[" + b"1;" * much + b"m",
            b"\x1b[" + b"9" * much + b"C",
        )
    )


def rubbish(rng: random.Random) -> bytes:
    """Any bytes."""
    return rng.randbytes(rng.choice((1, 2, 5, 40, 400)))


def mixed(rng: random.Random) -> bytes:
    """A stretch of everything, sometimes broken off, mixed up or run twice."""
    kinds = [*KINDS.values()]
    data = b"".join(rng.choice(kinds)(rng) for _ in range(rng.choice((1, 4, 12, 40))))
    change = rng.random()
    if change < 0.1:
        data = data[: rng.randrange(len(data) + 1)]
    elif change < 0.2:
        broken = bytearray(data)
        for _ in range(1 + len(broken) // 50):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        data = bytes(broken)
    return data


KINDS: Mapping[str, Callable[[random.Random], bytes]] = {
    "csi": csi,
    "mode": mode,
    "margins": margins,
    "sgr": sgr,
    "escape": escape,
    "string": string,
    "letters": letters,
    "lines": lines,
    "control": control,
    "heap": heap,
    "rubbish": rubbish,
}
