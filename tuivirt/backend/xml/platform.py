"""What a machine needs to be trusted and looked after, declared.

TPM, random numbers, watchdog, panic notifier, IOMMU, and the socket to the host (vsock). Format:
https://libvirt.org/formatdomain.html#tpm-device and the sections after it.
"""

from __future__ import annotations

from .character import PLAIN, SOURCE_COMMON, source_fields
from .declare import Declaration
from .field import Field, FieldType
from .offered import Offer
from .say import Values, named, words
from .shared import VIRTIO_MODELS

_EMULATED = ("backend", ("emulator",))

TPM = Declaration(
    "tpm",
    (
        Field(
            "model",
            "@model",
            "Model",
            "tpm-crb for TPM 2.0, tpm-tis for older systems.",
            choices=("tpm-crb", "tpm-tis", "tpm-spapr", "spapr-tpm-proxy"),
            initial="tpm-crb",
            offer=Offer(
                "tpm/model",
                needs=dict.fromkeys(("tpm-spapr", "spapr-tpm-proxy"), ("ppc",)),
                best={"ppc": "tpm-spapr", "arm": "tpm-tis"},
            ),
        ),
        Field(
            "backend",
            "backend/@type",
            "Behind it",
            "emulator: swtpm on the host; passthrough: the host's own.",
            choices=("emulator", "passthrough", "external"),
            initial="emulator",
            required=True,
            offer=Offer(
                "tpm/backendModel",
                lacks={
                    "emulator": "swtpm on the host (packages swtpm and swtpm-tools)",
                    "external": "QEMU 2.12",
                },
            ),
        ),
        Field(
            "version",
            "backend/@version",
            "Version",
            "2.0 unless the guest is old.",
            choices=("2.0", "1.2"),
            only=_EMULATED,
            initial="2.0",
            offer=Offer(
                "tpm/backendVersion",
                lacks=dict.fromkeys(
                    ("2.0", "1.2"), "a swtpm that makes it (packages swtpm and swtpm-tools)"
                ),
            ),
        ),
        Field(
            "persistent_state",
            "backend/@persistent_state",
            "Keep state",
            "Keep what it holds when a transient domain ends.",
            FieldType.YES_NO,
            only=_EMULATED,
        ),
        Field(
            "encryption",
            "backend/encryption/@secret",
            "Secret",
            "UUID of libvirt's secret that encrypts its state.",
            only=_EMULATED,
        ),
        *(
            Field(
                bank,
                f"backend/active_pcr_banks/{bank}",
                bank.upper(),
                "Keep measurements in this bank.",
                FieldType.FLAG,
                only=_EMULATED,
            )
            for bank in ("sha1", "sha256", "sha384", "sha512")
        ),
        Field(
            "path",
            {"passthrough": "backend/device/@path", "external": "backend/source/@path"},
            "Path",
            "The host's TPM, as in /dev/tpm0, or the socket of one that runs elsewhere.",
            by="backend",
        ),
        Field(
            "source_type",
            "backend/source/@type",
            "Source",
            "How the one elsewhere is reached.",
            choices=("unix",),
            default="unix",
            only=("backend", ("external",)),
            required=True,
        ),
        Field(
            "source_mode",
            "backend/source/@mode",
            "Role",
            "connect: it listens there.",
            choices=("connect",),
            default="connect",
            only=("backend", ("external",)),
            required=True,
        ),
    ),
    named("model", "backend", "version", "path"),
    common=("model", "backend", "version", "path"),
)


def _rng(values: Values) -> str:
    return words(values["model"], values["device"] or values["backend"])


RNG = Declaration(
    "rng",
    (
        Field(
            "model",
            "@model",
            "Model",
            "The virtio device that the guest sees.",
            choices=VIRTIO_MODELS,
            initial="virtio",
            required=True,
            offer=Offer("rng/model"),
        ),
        Field(
            "bytes",
            "rate/@bytes",
            "At most",
            "Bytes in a period; empty: no limit.",
            FieldType.INT,
            least=1,
        ),
        Field(
            "period",
            "rate/@period",
            "Period",
            "Milliseconds; 1000 where nothing is said.",
            FieldType.INT,
            least=1,
        ),
        Field(
            "backend",
            "backend/@model",
            "Source",
            "random: a device of the host; egd: a daemon; builtin: QEMU's own.",
            choices=("random", "builtin", "egd"),
            initial="random",
            required=True,
            offer=Offer("rng/backendModel", lacks={"builtin": "QEMU 4.2"}),
        ),
        Field(
            "device",
            {"random": "backend"},
            "Device",
            "The host's device.",
            by="backend",
            initial="/dev/urandom",
        ),
        *source_fields(
            "backend/",
            kind="source",
            kinds=PLAIN,
            initial="tcp",
            only=("backend", ("egd",)),
        ),
    ),
    _rng,
    common=("model", "backend", "device", "source", *SOURCE_COMMON),
)

WATCHDOG = Declaration(
    "watchdog",
    (
        Field(
            "model",
            "@model",
            "Model",
            "i6300esb can be plugged in; itco is part of a q35 machine.",
            choices=("i6300esb", "itco", "ib700", "diag288"),
            initial="i6300esb",
            required=True,
            offer=Offer(
                needs={
                    "i6300esb": ("x86", "arm", "ppc"),
                    "itco": ("q35",),
                    "ib700": ("x86",),
                    "diag288": ("s390",),
                },
                since={"itco": "9.1"},
                best={"s390": "diag288"},
            ),
        ),
        Field(
            "action",
            "@action",
            "Action",
            "What happens when the guest no longer answers it.",
            choices=("reset", "shutdown", "poweroff", "pause", "none", "dump", "inject-nmi"),
            default="reset",
        ),
    ),
    named("model", "action"),
    common=("model", "action"),
)

PANIC = Declaration(
    "panic",
    (
        Field(
            "model",
            "@model",
            "Model",
            "isa for most PCs, hyperv for Windows.",
            choices=("isa", "pvpanic", "hyperv", "pseries", "s390"),
            initial="isa",
            offer=Offer(
                "panic/model",
                needs={
                    "isa": ("x86",),
                    "hyperv": ("x86",),
                    "pseries": ("ppc",),
                    "s390": ("s390",),
                },
                since={"pvpanic": "9.1"},
                best={"ppc": "pseries", "s390": "s390", "arm": "pvpanic"},
            ),
        ),
        Field(
            "iobase",
            "address[@type='isa']/@iobase",
            "I/O port",
            "As in 0x505; libvirt chooses it.",
            only=("model", ("isa",)),
        ),
    ),
    named("model"),
    common=("model",),
)


def _iommu(values: Values) -> str:
    return words(values["model"], "interrupt remapping" if values["intremap"] else "")


IOMMU = Declaration(
    "iommu",
    (
        Field(
            "model",
            "@model",
            "Model",
            "intel for a q35 machine; virtio works on others too.",
            choices=("intel", "virtio", "smmuv3"),
            initial="intel",
            required=True,
            offer=Offer(
                needs={"intel": ("q35",), "virtio": ("q35", "virt"), "smmuv3": ("virt",)},
                best={"virt": "smmuv3"},
            ),
        ),
        *(
            Field(name, f"driver/@{name}", label, help, FieldType.ON_OFF)
            for name, label, help in (
                ("intremap", "Interrupt remapping", "Needs the split I/O APIC."),
                ("caching_mode", "Caching mode", "For devices passed on to the guest's guests."),
                ("eim", "Extended interrupts", "For more than 255 processors."),
                ("iotlb", "Device cache", "For vhost devices behind it."),
            )
        ),
        Field(
            "aw_bits",
            "driver/@aw_bits",
            "Address width",
            "Bits: 39 or 48.",
            FieldType.INT,
            most=255,
        ),
    ),
    _iommu,
    common=("model", "intremap"),
)


def _vsock(values: Values) -> str:
    cid = values["cid"]
    return words(values["model"], "CID chosen at start" if cid is None else f"CID {cid}")


VSOCK = Declaration(
    "vsock",
    (
        Field(
            "model",
            "@model",
            "Model",
            "The virtio device that the guest sees.",
            choices=VIRTIO_MODELS,
            initial="virtio",
        ),
        Field(
            "auto",
            "cid/@auto",
            "Choose number",
            "libvirt chooses a free number at start.",
            FieldType.YES_NO,
        ),
        Field(
            "cid",
            "cid/@address",
            "Number (CID)",
            "The guest's address for the host, from 3 on.",
            FieldType.INT,
            least=3,
            most=2**32 - 1,
        ),
    ),
    _vsock,
    common=("model", "auto", "cid"),
)
