"""What a disk's source is made of, as options of a verb; those of a network source are derived.

Their names are virsh's where virsh has them, else the declared fields'.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tuivirt.backend.errors import BadInput
from tuivirt.backend.xml.disksource import NETWORK, READ_ONLY

from .field_options import parameter_of, worded

if TYPE_CHECKING:
    from tuivirt.backend.xml.field import Value

_OF_VIRSH = {
    "protocol": "source_protocol",
    "server": "source_host_name",
    "transport": "source_host_transport",
    "socket": "source_host_socket",
}
_OPTIONS = {_OF_VIRSH.get(field.name, field.name): field for field in NETWORK}

KINDS = ("file", "block", "volume", "network")
"""What a disk can be made of."""
PARAMETERS = tuple(
    parameter_of(field, new=True, name=name, cli_only=True) for name, field in _OPTIONS.items()
)
"""One for each field of a network source; the screen has a form of its own for them."""
BEYOND_VIRSH = (
    "virsh attach-device {name} DEVICE.xml {when}",
    frozenset(_OPTIONS.keys() - _OF_VIRSH.values() - {"port"}) | {"servers", "volume"},
)
"""What takes the place of virsh's attach-disk where that has no option for what is said."""


def option_of(field: str) -> str:
    """The option for a declared field of a network source."""
    return _OF_VIRSH.get(field, field)


def fields_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The declared fields that were given."""
    return {
        _OPTIONS[name].name: value
        for name, value in options.items()
        if name in _OPTIONS and value is not None
    }


def check_source(values: Mapping[str, Any]) -> None:
    """Raises BadInput for a network source that cannot be, and for a password in it."""
    from tuivirt.backend.disk_sources import network_asked
    from tuivirt.backend.disks import DiskRequest

    kind = values.get("sourcetype") or ""
    asked = network_asked(DiskRequest(values["source"], kind=kind, network=fields_of(values)))
    if asked is not None and kind not in ("", "network"):
        raise BadInput(f"the source is told by a URI, and not as a {kind}")


def check_medium(values: Mapping[str, Any]) -> None:
    """Raises BadInput for a medium that another machine has; a password in it is not repeated."""
    from tuivirt.backend.xml.disk_uri import is_uri

    if is_uri(values.get("source") or ""):
        raise BadInput(
            "a medium is a file or pool/volume",
            "what another machine has is attached as a drive of its own"
            " (attach-disk --type cdrom), from the next boot on",
        )


def as_virsh(source: str, network: Mapping[str, Value] | None) -> dict[str, Any]:
    """A source as the options of virsh's verb, for the equivalent command.

    ``network``: as `network_asked` told. What virsh's verb cannot say is told by its name in
    `BEYOND_VIRSH`.
    """
    if network is None:
        return {} if source.startswith("/") else {"volume": source}
    servers, port = str(network.get("server") or ""), network.get("port")
    said: dict[str, Any] = {
        option_of(name): worded(value)
        for name, value in network.items()
        if name not in ("source", "port", "server")
    }
    if servers:
        said["source_host_name"] = f"{servers}:{port}" if port else servers
    if "," in servers:
        said["servers"] = servers
    if network["protocol"] in READ_ONLY:
        said["mode"] = "readonly"
    return {"sourcetype": "network", "source": str(network.get("source") or ""), **said}
