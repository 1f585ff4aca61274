"""``<graphics>``, declared. Format: https://libvirt.org/formatdomain.html#graphical-framebuffers."""

from __future__ import annotations

from .declare import Declaration
from .field import Field, FieldType
from .offered import Offer
from .say import Values, words

_VNC = ("type", ("vnc",))
_SPICE = ("type", ("spice",))
_REMOTE = ("type", ("vnc", "spice"))
_SERVED = ("type", ("vnc", "spice", "rdp"))


def _served(values: Values) -> str:
    if values["socket"]:
        return words(values["type"], values["socket"])
    port = next((p for p in (values["port"], values["tls_port"]) if p not in (None, -1, 0)), "")
    if values["type"] in ("sdl", "egl-headless", "desktop", "dbus"):
        return words(values["type"], values["display"], values["address"])
    where = f"{values['listen_address']}:{port}" if port else values["listen_address"]
    return words(values["type"], where, "" if port else "port chosen at start")


GRAPHICS = Declaration(
    "graphics",
    (
        Field(
            "type",
            "@type",
            "Type",
            "How the screen is seen: vnc and spice over the network.",
            choices=("vnc", "spice", "egl-headless", "dbus", "sdl", "rdp", "desktop"),
            initial="vnc",
            required=True,
            offer=Offer(
                "graphics/type",
                needs={"desktop": ("vbox", "vmware")},
                since={"rdp": "11.1"},
                lacks={
                    "vnc": "a QEMU with VNC",
                    "spice": "a QEMU with SPICE (Debian 13: package qemu-system-modules-spice)",
                    "egl-headless": "a QEMU with OpenGL (package qemu-system-modules-opengl)",
                    "dbus": "QEMU 7.0",
                    "rdp": "qemu-rdp on the host",
                },
            ),
        ),
        Field(
            "port",
            "@port",
            "Port",
            "The TCP port to listen at; -1: one is chosen at start.",
            FieldType.INT,
            only=_SERVED,
            least=-1,
            most=65535,
        ),
        Field(
            "tls_port",
            "@tlsPort",
            "TLS port",
            "The port for encrypted channels; -1: one is chosen.",
            FieldType.INT,
            only=_SPICE,
            least=-1,
            most=65535,
        ),
        Field(
            "autoport",
            "@autoport",
            "Choose ports",
            "libvirt chooses free ports at start.",
            FieldType.YES_NO,
            only=_SERVED,
            initial=True,
        ),
        Field(
            "websocket",
            "@websocket",
            "WebSocket",
            "The port for browsers; -1: one is chosen.",
            FieldType.INT,
            only=_VNC,
            least=-1,
            most=65535,
        ),
        Field(
            "listen",
            "listen/@type",
            "Listen at",
            "An address, a libvirt network, a socket, or nowhere.",
            choices=("address", "network", "socket", "none"),
            only=_SERVED,
        ),
        Field(
            "listen_address",
            "listen/@address",
            "Address",
            "127.0.0.1: this host only; 0.0.0.0: everybody.",
            only=_SERVED,
            also="@listen",
        ),
        Field(
            "network",
            "listen/@network",
            "Network",
            "The libvirt network whose address it listens at.",
            only=("listen", ("network",)),
        ),
        Field(
            "socket",
            "listen/@socket",
            "Socket",
            "Path of its Unix socket; empty: libvirt chooses it.",
            only=_REMOTE,
            also="@socket",
        ),
        Field(
            "password",
            "@passwd",
            "Password",
            "What a viewer must say; VNC uses its first 8 characters.",
            FieldType.SECRET,
            only=_REMOTE,
        ),
        Field(
            "password_until",
            "@passwdValidTo",
            "Password valid to",
            "UTC, as in 2027-01-31T12:00:00.",
            only=_REMOTE,
        ),
        Field(
            "connected",
            "@connected",
            "At a new password",
            "What happens to viewers that are there.",
            choices=("keep", "disconnect", "fail"),
            only=_REMOTE,
        ),
        Field(
            "keymap",
            "@keymap",
            "Keymap",
            "As in de or en-us; empty: the viewer's own.",
            only=_REMOTE,
        ),
        Field(
            "share_policy",
            "@sharePolicy",
            "Sharing",
            "Whether a viewer may shut others out.",
            choices=("allow-exclusive", "force-shared", "ignore"),
            only=_VNC,
        ),
        Field(
            "power_control",
            "@powerControl",
            "Power",
            "Viewers may shut down, reboot and reset.",
            FieldType.YES_NO,
            only=_VNC,
        ),
        Field(
            "default_mode",
            "@defaultMode",
            "Channels",
            "Whether channels must be encrypted.",
            choices=("any", "secure", "insecure"),
            only=_SPICE,
        ),
        Field(
            "image_compression",
            "image/@compression",
            "Pictures",
            "How they are compressed.",
            choices=("auto_glz", "auto_lz", "quic", "glz", "lz", "off"),
            only=_SPICE,
        ),
        Field(
            "jpeg_compression",
            "jpeg/@compression",
            "JPEG",
            "Whether pictures may lose detail on a slow line.",
            choices=("auto", "never", "always"),
            only=_SPICE,
        ),
        Field(
            "zlib_compression",
            "zlib/@compression",
            "zlib",
            "Whether glz is compressed again on a slow line.",
            choices=("auto", "never", "always"),
            only=_SPICE,
        ),
        Field(
            "playback_compression",
            "playback/@compression",
            "Sound compression",
            "Compress the sound.",
            FieldType.ON_OFF,
            only=_SPICE,
        ),
        Field(
            "streaming",
            "streaming/@mode",
            "Video streams",
            "Send moving pictures as video.",
            choices=("filter", "all", "off"),
            only=_SPICE,
        ),
        Field(
            "clipboard",
            "clipboard/@copypaste",
            "Clipboard",
            "Share it between viewer and guest.",
            FieldType.YES_NO,
            only=_SPICE,
        ),
        Field(
            "mouse",
            "mouse/@mode",
            "Mouse",
            "client: the guest's pointer follows the viewer's.",
            choices=("server", "client"),
            only=_SPICE,
        ),
        Field(
            "filetransfer",
            "filetransfer/@enable",
            "File transfer",
            "Viewers may drop files into the guest.",
            FieldType.YES_NO,
            only=_SPICE,
        ),
        Field(
            "gl",
            "gl/@enable",
            "OpenGL",
            "Draw with the host's GPU.",
            FieldType.YES_NO,
            only=("type", ("spice", "sdl", "dbus")),
        ),
        Field(
            "rendernode",
            "gl/@rendernode",
            "GPU",
            "As in /dev/dri/renderD128.",
            only=("type", ("spice", "egl-headless", "dbus")),
        ),
        Field(
            "audio",
            "audio/@id",
            "Sound",
            "Number of the audio device that viewers hear.",
            FieldType.INT,
            only=("type", ("vnc", "dbus")),
            least=1,
        ),
        Field(
            "display",
            "@display",
            "Display",
            "The X display on the host, as in :0.0.",
            only=("type", ("sdl", "desktop")),
        ),
        Field(
            "xauth",
            "@xauth",
            "X authority",
            "Path of the file with its key.",
            only=("type", ("sdl",)),
        ),
        Field(
            "fullscreen",
            "@fullscreen",
            "Full screen",
            "Fill the display.",
            FieldType.YES_NO,
            only=("type", ("sdl", "desktop")),
        ),
        Field(
            "address",
            "@address",
            "Bus address",
            "Of the D-Bus to be on; empty: libvirt starts one.",
            only=("type", ("dbus",)),
        ),
        Field(
            "p2p",
            "@p2p",
            "Peer to peer",
            "Without a D-Bus server between.",
            FieldType.YES_NO,
            only=("type", ("dbus",)),
        ),
        Field(
            "replace_user",
            "@replaceUser",
            "Replace viewer",
            "A new viewer takes the place of the old (RDP).",
            FieldType.YES_NO,
            only=("type", ("rdp",)),
        ),
        Field(
            "multi_user",
            "@multiUser",
            "Several viewers",
            "More than one at a time (RDP).",
            FieldType.YES_NO,
            only=("type", ("rdp",)),
        ),
    ),
    _served,
    common=("type", "listen", "listen_address", "socket", "port", "password", "gl"),
)
