"""``<domainbackup>``: read from a job under way, and written for a new one.

Format: https://libvirt.org/formatbackup.html.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..model.record import record
from .tree import attribute, lxml, number, skim


@record(frozen=True, slots=True)
class Server:
    """Where the blocks are offered while a guest's disks are pulled (NBD)."""

    socket: str = ""
    """A unix socket; empty: host and port."""
    host: str = ""
    port: int | None = None


@record(frozen=True, slots=True)
class BackupDisk:
    """A disk of a backup."""

    target: str
    file: str = ""
    """Where its blocks go (push), or what its guest overwrites meanwhile (pull)."""
    export: str = ""
    """Its name on the server (pull)."""


@record(frozen=True, slots=True)
class Backup:
    """A backup under way. Source: virDomainBackupGetXMLDesc."""

    mode: str
    """push or pull."""
    incremental: str = ""
    """The checkpoint that it goes back to; empty: it is a full one."""
    disks: tuple[BackupDisk, ...] = ()
    """Those that are taken."""
    server: Server | None = None


def parse_backup(xml: str) -> Backup:
    """Raises MalformedXml."""
    root = skim(xml, "domainbackup")
    mode = root.get("mode", "push")
    place = "target" if mode == "push" else "scratch"
    server = root.find("server")
    found = None
    if server is not None:
        found = Server(server.get("socket", ""), server.get("name", ""), number(server.get("port")))
    return Backup(
        mode=mode,
        incremental=(root.findtext("incremental") or "").strip(),
        server=found,
        disks=tuple(
            BackupDisk(
                disk.get("name", ""),
                attribute(disk, place, "file") or attribute(disk, place, "dev"),
                disk.get("exportname") or disk.get("name", ""),
            )
            for disk in root.iterfind("disks/disk")
            if disk.get("backup", "yes") == "yes"
        ),
    )


def new_backup(
    mode: str,
    files: Mapping[str, str],
    left_out: Sequence[str],
    *,
    form: str = "qcow2",
    incremental: str = "",
    server: Server | None = None,
) -> str:
    """``files``: by target, where its blocks go (push) or its scratch file lies (pull).

    ``form``: the format of what is pushed, qcow2 or raw.
    """
    etree = lxml()
    root = etree.Element("domainbackup", mode=mode)
    if incremental:
        etree.SubElement(root, "incremental").text = incremental
    if server is not None and server.socket:
        etree.SubElement(root, "server", transport="unix", socket=server.socket)
    elif server is not None:
        etree.SubElement(
            root, "server", transport="tcp", name=server.host, port=str(server.port or 10809)
        )
    listed = etree.SubElement(root, "disks")
    for target, path in files.items():
        disk = etree.SubElement(listed, "disk", name=target, backup="yes", type="file")
        if mode == "push":
            etree.SubElement(disk, "driver", type=form)
            etree.SubElement(disk, "target", file=path)
        else:
            disk.set("exportname", target)
            etree.SubElement(disk, "scratch", file=path)
    for target in left_out:
        etree.SubElement(listed, "disk", name=target, backup="no")
    return str(etree.tostring(root, encoding="unicode"))
