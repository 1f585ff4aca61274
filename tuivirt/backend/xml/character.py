"""What stands on the host behind a character device: a terminal, a port, a socket, the network.

Serial and parallel ports, consoles, channels, redirected USB devices, smart cards and some
sources of random numbers have it. Format:
https://libvirt.org/formatdomain.html#host-interface.
"""

from __future__ import annotations

from .field import Field, FieldType
from .offered import Offer
from .say import Values, words

PLAIN = ("pty", "dev", "file", "tcp", "udp", "unix", "pipe", "null", "stdio", "vc")
"""What any character device can have behind it."""
PORTS = (*PLAIN, "spiceport", "nmdm")
REDIRECTED = ("spicevmc", *PLAIN, "spiceport")
CHANNELS = ("spicevmc", "qemu-vdagent", *PLAIN, "spiceport", "dbus", "nmdm")
SOURCE_COMMON = ("path", "mode", "host", "service")
"""Those of its fields that a form shows at once."""
_NETWORKED = ("tcp", "udp")
_STREAMS = ("tcp", "unix")


def source_fields(
    prefix: str = "",
    *,
    kind: str = "type",
    kinds: tuple[str, ...] = PORTS,
    initial: str | None = "pty",
    only: tuple[str, tuple[str, ...]] | None = None,
    required: bool = True,
    offer: Offer | None = None,
) -> tuple[Field, ...]:
    """The fields, below ``prefix`` in the XML; ``kind`` is the name of the one that tells them
    apart. ``only``: when the device has a source at all."""

    def when(*those: str) -> tuple[str, tuple[str, ...]]:
        return kind, those

    source = f"{prefix}source"
    fields = (
        Field(
            kind,
            f"{prefix}@type",
            "Behind it",
            "What stands behind it on the host: pty is a terminal, dev a port of the host.",
            choices=kinds,
            initial=initial,
            only=only,
            required=required,
            offer=offer or Offer(needs={"nmdm": ("bhyve",)} if "nmdm" in kinds else {}),
        ),
        Field(
            "path",
            dict.fromkeys(("pty", "dev", "file", "pipe", "unix"), f"{source}/@path"),
            "Path",
            "The host's port (as in /dev/ttyS0), file or socket; a terminal's is chosen.",
            by=kind,
        ),
        Field(
            "append",
            f"{source}/@append",
            "Append",
            "Keep what the file holds when the guest starts; no: empty it.",
            FieldType.ON_OFF,
            only=when("file", "unix"),
            # Where nothing is said the hypervisor empties whatever file it is given.
            offer=Offer(starts=(kind, {"file": "yes"})),
        ),
        Field(
            "mode",
            dict.fromkeys(_STREAMS, f"{source}/@mode"),
            "Role",
            "bind listens, connect calls another that listens.",
            choices=("bind", "connect"),
            by=kind,
        ),
        Field(
            "host",
            {"tcp": f"{source}/@host", "udp": f"{source}[@mode='connect']/@host"},
            "Host",
            "The address to listen at or to call.",
            by=kind,
        ),
        Field(
            "service",
            {"tcp": f"{source}/@service", "udp": f"{source}[@mode='connect']/@service"},
            "Port",
            "The TCP or UDP port there.",
            by=kind,
        ),
        Field(
            "bind_host",
            {"udp": f"{source}[@mode='bind']/@host"},
            "Own address",
            "The address to receive at (UDP).",
            by=kind,
        ),
        Field(
            "bind_service",
            {"udp": f"{source}[@mode='bind']/@service"},
            "Own port",
            "The port to receive at (UDP).",
            by=kind,
        ),
        Field(
            "protocol",
            f"{prefix}protocol/@type",
            "Protocol",
            "raw passes bytes; telnet lets a telnet client come in.",
            choices=("raw", "telnet", "telnets", "tls"),
            only=when("tcp"),
        ),
        Field(
            "tls",
            f"{source}/@tls",
            "TLS",
            "Encrypt the way, with the host's certificates.",
            FieldType.YES_NO,
            only=when("tcp"),
        ),
        Field(
            "reconnect",
            f"{source}/reconnect/@enabled",
            "Reconnect",
            "Call again when the other side has gone.",
            FieldType.YES_NO,
            only=when(*_STREAMS),
        ),
        Field(
            "reconnect_timeout",
            f"{source}/reconnect/@timeout",
            "Reconnect after",
            "Seconds between two calls.",
            FieldType.INT,
            only=when(*_STREAMS),
        ),
        Field(
            "channel",
            dict.fromkeys(("spiceport", "dbus"), f"{source}/@channel"),
            "Channel",
            "Its name in the SPICE or D-Bus session.",
            by=kind,
        ),
        Field(
            "clipboard",
            f"{source}/clipboard/@copypaste",
            "Clipboard",
            "Share the clipboard with the guest's agent.",
            FieldType.YES_NO,
            only=when("qemu-vdagent"),
        ),
        Field(
            "mouse",
            f"{source}/mouse/@mode",
            "Mouse",
            "client: the guest's pointer follows the viewer's.",
            choices=("server", "client"),
            only=when("qemu-vdagent"),
        ),
        Field(
            "log",
            f"{prefix}log/@file",
            "Log",
            "A file on the host that keeps all that comes out of it.",
            only=only,
        ),
        Field(
            "log_append",
            f"{prefix}log/@append",
            "Append to log",
            "Keep what the log holds when the guest starts.",
            FieldType.ON_OFF,
            only=only,
        ),
    )
    return tuple(each for each in fields if _is_for(each, kind, kinds))


def _is_for(each: Field, kind: str, kinds: tuple[str, ...]) -> bool:
    """Whether any of the kinds has this field."""
    if each.by == kind and not isinstance(each.path, str):
        return any(value in kinds for value in each.path)
    if each.only is not None and each.only[0] == kind:
        return any(value in kinds for value in each.only[1])
    return True


def source_words(values: Values, kind: str = "type") -> str:
    """What stands behind it, in a few words."""
    network = values["host"] or values["service"]
    where = (
        words(values["mode"], f"{values['host']}:{values['service']}")
        if network
        else words(values["path"], values.get("channel"))
    )
    return words(values[kind], where)
