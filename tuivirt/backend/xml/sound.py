"""Sound cards, and what the host does with their sound, declared.

Format: https://libvirt.org/formatdomain.html#sound-devices and #audio-backends.
"""

from __future__ import annotations

from collections.abc import Iterator

from .declare import Declaration
from .field import Field, FieldType
from .offered import Offer
from .say import named

SOUND = Declaration(
    "sound",
    (
        Field(
            "model",
            "@model",
            "Model",
            "The card that the guest sees; ich9 suits most.",
            choices=("ich9", "ich7", "ich6", "usb", "ac97", "es1370", "sb16", "pcspk"),
            initial="ich9",
            required=True,
            offer=Offer(
                needs={"usb": ("usb",), "sb16": ("x86",), "pcspk": ("x86",)},
                best={"i440fx": "ich6"},
            ),
        ),
        Field(
            "codecs",
            "codec/@type",
            "Codecs",
            "duplex, micro or output; several with commas (ich6, ich9).",
            FieldType.LIST,
        ),
        Field(
            "audio",
            "audio/@id",
            "Played by",
            "Number of the audio device that plays it.",
            FieldType.INT,
            least=1,
        ),
    ),
    named("model"),
    common=("model", "audio"),
)

_BUFFERED = ("type", ("coreaudio", "oss", "sdl"))


def _direction(name: str, label: str) -> Iterator[Field]:
    """The settings of what is heard (output) or said (input)."""

    def of(what: str, path: str, title: str, help: str, **more: object) -> Field:
        return Field(f"{name}_{what}", f"{name}/{path}", f"{label}: {title}", help, **more)  # type: ignore[arg-type]

    yield of(
        "mixing",
        "@mixingEngine",
        "mixing",
        "Let QEMU mix and convert.",
        type=FieldType.YES_NO,
    )
    yield of(
        "fixed",
        "@fixedSettings",
        "fixed",
        "Use the settings here, not the guest's.",
        type=FieldType.YES_NO,
    )
    yield of("voices", "@voices", "voices", "How many at a time.", type=FieldType.INT)
    yield of("buffer", "@bufferLength", "buffer", "Microseconds.", type=FieldType.INT)
    yield of(
        "frequency",
        "settings/@frequency",
        "frequency",
        "Hertz; needs fixed settings.",
        type=FieldType.INT,
    )
    yield of(
        "channels",
        "settings/@channels",
        "channels",
        "2 for stereo; needs fixed settings.",
        type=FieldType.INT,
    )
    yield of(
        "format",
        "settings/@format",
        "format",
        "Of a sample; needs fixed settings.",
        choices=("s8", "u8", "s16", "u16", "s32", "u32", "f32"),
    )
    yield of(
        "device",
        "@dev",
        "device",
        "The host's, as in default or /dev/dsp.",
        only=("type", ("alsa", "oss")),
    )
    yield of(
        "buffers",
        "@bufferCount",
        "buffers",
        "How many there are.",
        type=FieldType.INT,
        only=_BUFFERED,
    )
    yield of(
        "poll",
        "@tryPoll",
        "poll",
        "Wait for the device without a timer.",
        type=FieldType.YES_NO,
        only=("type", ("oss",)),
    )
    yield of(
        "name",
        "@name",
        "sink",
        "PulseAudio's sink or source.",
        only=("type", ("pulseaudio",)),
    )
    yield of(
        "stream",
        "@streamName",
        "stream",
        "The name that PulseAudio shows.",
        only=("type", ("pulseaudio",)),
    )
    yield of(
        "latency",
        "@latency",
        "latency",
        "Microseconds.",
        type=FieldType.INT,
        only=("type", ("pulseaudio",)),
    )
    yield of(
        "server",
        "@serverName",
        "server",
        "JACK's server.",
        only=("type", ("jack",)),
    )
    yield of("client", "@clientName", "client", "Our name in JACK.", only=("type", ("jack",)))
    yield of(
        "connect",
        "@connectPorts",
        "ports",
        "JACK's ports to connect to, as a regular expression.",
        only=("type", ("jack",)),
    )
    yield of(
        "exact",
        "@exactName",
        "exact name",
        "Fail when JACK knows the name already.",
        type=FieldType.YES_NO,
        only=("type", ("jack",)),
    )


AUDIO = Declaration(
    "audio",
    (
        Field(
            "type",
            "@type",
            "Type",
            "Who plays it on the host; spice: the viewer; none: nobody.",
            choices=(
                *("none", "spice", "pulseaudio", "alsa", "jack", "oss", "sdl", "file"),
                *("dbus", "coreaudio"),
            ),
            initial="none",
            required=True,
        ),
        Field(
            "id",
            "@id",
            "Number",
            "By which sound cards name it.",
            FieldType.INT,
            required=True,
            least=1,
        ),
        Field(
            "timer_period",
            "@timerPeriod",
            "Timer",
            "Microseconds between two rounds.",
            FieldType.INT,
        ),
        Field(
            "path",
            "@path",
            "File",
            "The WAV file that is written.",
            only=("type", ("file",)),
        ),
        Field(
            "server",
            "@serverName",
            "Server",
            "PulseAudio's server.",
            only=("type", ("pulseaudio",)),
        ),
        Field(
            "sdl_driver",
            "@driver",
            "SDL's driver",
            "What SDL plays with.",
            choices=("esd", "alsa", "arts", "pulseaudio"),
            only=("type", ("sdl",)),
        ),
        Field(
            "try_mmap",
            "@tryMMap",
            "Mapped",
            "Use memory mapped access if possible.",
            FieldType.YES_NO,
            only=("type", ("oss",)),
        ),
        Field(
            "exclusive",
            "@exclusive",
            "Exclusive",
            "Nobody else may play.",
            FieldType.YES_NO,
            only=("type", ("oss",)),
        ),
        Field(
            "dsp_policy",
            "@dspPolicy",
            "Policy",
            "OSS's timing policy.",
            FieldType.INT,
            only=("type", ("oss",)),
        ),
        *_direction("input", "Microphone"),
        *_direction("output", "Loudspeaker"),
    ),
    named("type", "id"),
    common=("type", "id", "path", "server"),
)
