"""Disks of a domain: attach, detach, and what lies in its CD-ROM and floppy drives.

Hot-plugging is imported when it is done: the list of domains shall not wait for it, nor hold it.
"""

from __future__ import annotations

from typing import Annotated, Any

from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.domain import Domain
from tuivirt.backend.model.when import When
from tuivirt.backend.settling import LET_GO_S

from . import disk_options
from .domains import is_off
from .registry import Option, Run, action, text_or_pending

_WHEN = Annotated[When, Option("which configuration: the running one, the saved one, or both")]


@action(
    "domain",
    title="Attach a disk",
    key="plus",
    virsh="virsh attach-disk {name} {source} {target|TARGET}[ --targetbus {targetbus}]"
    "[ --type {type}][ --driver qemu --subdriver {subdriver}][ --cache {cache}][ --io {io}]"
    "[ --mode {mode}][ --serial {serial}][ --sourcetype {sourcetype}]"
    "[ --source-protocol {source_protocol}][ --source-host-name {source_host_name}]"
    "[ --source-host-transport {source_host_transport}]"
    "[ --source-host-socket {source_host_socket}] {when}",
    api="virDomainAttachDeviceFlags",
    bulk=False,
    check=disk_options.check_source,
    more=disk_options.PARAMETERS,
    otherwise=disk_options.BEYOND_VIRSH,
)
def attach_disk(
    run: Run,
    domain: Domain,
    *,
    sourcetype: Annotated[
        str | None,
        Option(
            "what it is made of; as the source says when not given",
            label="Kind",
            choices=disk_options.KINDS,
        ),
    ] = None,
    source: Annotated[
        str,
        Option(
            "a file, a block device, pool/volume, or a URI as nbd://10.0.0.5/vda",
            positional=True,
        ),
    ],
    target: Annotated[
        str | None, Option("its name in the guest, as in vdb; the next free one when not given")
    ] = None,
    targetbus: Annotated[
        str | None,
        Option(
            "the bus it sits on; what suits the target when not given",
            label="Bus",
            choices=("virtio", "scsi", "sata", "ide", "usb", "fdc"),
        ),
    ] = None,
    type: Annotated[
        str,
        Option("what it is to the guest", choices=("disk", "cdrom", "floppy", "lun")),
    ] = "disk",
    subdriver: Annotated[
        str | None,
        Option(
            "its format, as in qcow2 or raw; looked up when not given, but raw where another"
            " machine has it, into which nobody looks",
            label="Format",
        ),
    ] = None,
    cache: Annotated[
        str | None,
        Option(
            "how the host caches it",
            choices=("none", "writeback", "writethrough", "directsync", "unsafe"),
        ),
    ] = None,
    io: Annotated[
        str | None,
        Option("how the host does its I/O", label="I/O", choices=("native", "threads", "io_uring")),
    ] = None,
    mode: Annotated[
        str | None,
        Option("who may write", label="Access", choices=("readonly", "shareable")),
    ] = None,
    serial: Annotated[str | None, Option("the serial number that the guest sees")] = None,
    when: _WHEN = When.AUTO,
    force: Annotated[
        bool,
        Option(
            "though a snapshot of the domain keeps it, a domain that is off has it on another host,"
            " or not all hosts can be asked"
        ),
    ] = False,
    **network: Any,
) -> str:
    """Attach a file, a block device, a volume or a network source as a disk."""
    from tuivirt.backend import disk_sources, hotplug

    request = hotplug.DiskRequest(
        source=source,
        kind=sourcetype or "",
        network=disk_options.fields_of(network),
        target=target or "",
        bus=targetbus or "",
        device=type,
        format=subdriver or "",
        cache=cache or "",
        io=io or "",
        serial=serial or "",
        readonly=mode == "readonly",
        shareable=mode == "shareable",
    )
    run.chose(**disk_options.as_virsh(source, disk_sources.network_asked(request)))
    done = hotplug.attach_disk(
        run.host, domain.uuid, request, when, progress=run.progress, force=force
    )
    return done.text


@action(
    "domain",
    title="Detach a disk",
    key="minus",
    virsh="virsh detach-disk {name} {target} {when}",
    api="virDomainDetachDeviceFlags",
    destructive=True,
    confirm="Take a disk away from {name}? What the guest has not written to it yet is lost; "
    "the image itself stays.",
    bulk=False,
)
def detach_disk(
    run: Run,
    domain: Domain,
    *,
    target: Annotated[str, Option("its name in the guest, as in vdb", positional=True)],
    when: _WHEN = When.AUTO,
    timeout: Annotated[
        float, Option("seconds to wait for the guest to let go", label="Wait, seconds", minimum=0)
    ] = LET_GO_S,
) -> str:
    """Detach a disk, and wait until the guest has let go; one that has not is followed."""
    from tuivirt.backend import hotplug

    outcome = hotplug.detach_disk(
        run.host,
        domain.uuid,
        target,
        when,
        timeout_s=timeout,
        aborted=run.aborted,
        chose=lambda chosen: run.chose(when=chosen),
    )
    return text_or_pending(outcome)


@action(
    "domain",
    title="Make a disk larger",
    virsh="virsh blockresize {name} {path} {size}",
    api="virDomainBlockResize",
    bulk=False,
    unavailable=is_off,
)
def blockresize(
    run: Run,
    domain: Domain,
    *,
    path: Annotated[str, Option("its name in the guest, as in vda", label="Disk", positional=True)],
    size: Annotated[
        str,
        Option("as in 40GiB or 512M; a bare number is KiB, as virsh has it", positional=True),
    ],
) -> str:
    """Make a disk of a running guest larger; never smaller, which would cut off what is on it."""
    from tuivirt.backend.resizing import resize_disk
    from tuivirt.backend.sizes import for_virsh

    run.chose(size=for_virsh(size))
    return resize_disk(run.host, domain.uuid, path, size, run.progress)


@action(
    "domain",
    title="Change the medium of a drive",
    key="i",
    virsh="virsh change-media {name} {path}[ --source {source}][eject? --eject]"
    "[insert? --insert][update? --update][force? --force] {when|--live --config}",
    api="virDomainUpdateDeviceFlags",
    bulk=False,
    check=disk_options.check_medium,
)
def change_media(
    run: Run,
    domain: Domain,
    *,
    path: Annotated[str, Option("the drive, as in sda", label="Drive", positional=True)],
    source: Annotated[
        str | None, Option("the image to put in: a file, or pool/volume", positional=True)
    ] = None,
    eject: Annotated[bool, Option("take out what is in it")] = False,
    insert: Annotated[bool, Option("put the source into an empty drive")] = False,
    update: Annotated[
        bool, Option("replace what is in it by the source (what is done when none is said)")
    ] = False,
    force: Annotated[bool, Option("even when the guest has locked the tray")] = False,
    when: _WHEN = When.AUTO,
) -> str:
    """Insert, eject or swap the medium of a CD-ROM or floppy drive."""
    from tuivirt.backend import hotplug

    if eject + insert + update > 1:
        raise BadInput(
            "a medium is taken out, put in or replaced, not several of these",
            advice="choose one of --eject, --insert and --update",
        )
    if eject:
        if source:
            raise BadInput("ejecting takes no source", f"{source!r} was given")
        return hotplug.eject_media(run.host, domain.uuid, path, when, force=force).text
    if not source:
        raise BadInput("a source is missing", advice="give an image, or --eject")
    change = hotplug.insert_media if insert else hotplug.swap_media
    return change(run.host, domain.uuid, path, source, when, force=force).text
