"""libvirt's secrets: defined with their value, listed, undefined.

Declared when somebody asks for what can be done to a host, as none of it has a key. What is in a
secret is no parameter of any verb: it is asked for when the verb runs, or read from a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from tuivirt.backend.model.host import HostSnapshot
from tuivirt.backend.model.secret import KINDS

from .plans import FORCE
from .registry import Option, Run, action

if TYPE_CHECKING:
    from tuivirt.backend.host import Host
    from tuivirt.backend.model.finding import Planned

SECRET = Annotated[
    str, Option("the secret, by its UUID or its usage", label="Secret", positional=True)
]
FILE = Annotated[
    str | None,
    Option(
        "the file of this machine that holds its value, - is standard input; it is asked for "
        "without a file",
        label="Value from file",
    ),
]
BASE64 = Annotated[bool, Option("what the file holds is base64; else it is taken as it is")]
_INTO = "[file,!base64? --plain][ --file {file}][!file? --interactive]"


def _told(run: Run, file: str | None = None, word: str = "secret") -> Callable[[str], None]:
    """Says the UUID: virsh knows no secret by its usage, and for it - is the name of a file."""
    source = {"file": "/dev/stdin"} if file == "-" else {}
    run.chose(**source)
    return lambda number: run.chose(**{word: number}, **source)


@action(
    "host",
    title="List its secrets",
    virsh="virsh secret-list",
    api="virConnectListAllSecrets",
    changes=False,
    bulk=False,
)
def secret_list(run: Run, _host: HostSnapshot) -> str:
    """List libvirt's secrets on a host: UUID, what each is for, its usage; never what is in it."""
    from tuivirt.backend import secret_verbs

    return secret_verbs.as_text(run.host)


@action(
    "host",
    title="Show a secret's XML",
    virsh="virsh secret-dumpxml {secret}",
    api="virSecretGetXMLDesc",
    changes=False,
    bulk=False,
)
def secret_dumpxml(run: Run, _host: HostSnapshot, *, secret: SECRET) -> str:
    """Print libvirt's record of a secret; what is in it is not told."""
    from tuivirt.backend import secret_verbs

    return secret_verbs.xml_of(run.host, secret, chose=_told(run))


def _checked(values: Mapping[str, Any]) -> None:
    from tuivirt.backend import secret_verbs

    secret_verbs.check(values)


@action(
    "host",
    title="Define a secret",
    virsh="virsh secret-define SECRET.xml; virsh secret-set-value {uuid|UUID}" + _INTO,
    api="virSecretDefineXML, virSecretSetValue",
    bulk=False,
    check=_checked,
)
def secret_define(
    run: Run,
    _host: HostSnapshot,
    *,
    usage: Annotated[
        str,
        Option(
            "what it is known by: the path of the volume that it opens, else a name",
            label="Usage",
            positional=True,
        ),
    ],
    type: Annotated[str, Option("what it is for", choices=KINDS, label="For")] = "volume",
    description: Annotated[str | None, Option("in words")] = None,
    ephemeral: Annotated[
        bool, Option("in the daemon's memory alone: gone when that ends, never on its disk")
    ] = False,
    private: Annotated[
        bool, Option("libvirt tells its value to no client, to virsh as little as to tuivirt")
    ] = False,
    uuid: Annotated[
        str | None, Option("its UUID, as on the host that it comes from; a new one unless given")
    ] = None,
    file: FILE = None,
    base64: BASE64 = False,
) -> str:
    """Define a secret with its value, which is asked for twice, or read from a file.

    A volume that is encrypted, or a login to a storage server, names it by its UUID or its usage.
    For a volume that is to be encrypted the usage is the path that it will have: then libvirt
    knows by itself what opens it.
    """
    from tuivirt.backend import secret_verbs

    values = {
        "usage": usage,
        "type": type,
        "description": description,
        "ephemeral": ephemeral,
        "private": private,
        "uuid": uuid,
        "file": file,
        "base64": base64,
    }
    chose = _told(run, file, "uuid")
    return secret_verbs.define(run.host, values, run.aborted, chose=chose)


def _checked_value(values: Mapping[str, Any]) -> None:
    from tuivirt.backend import secret_value

    secret_value.check(values)


@action(
    "host",
    title="Give a secret another value",
    virsh="virsh secret-set-value {secret}" + _INTO,
    api="virSecretSetValue",
    bulk=False,
    destructive=True,
    confirm="Give a secret of {name} another value? What the old one opens stays closed then.",
    check=_checked_value,
)
def secret_set_value(
    run: Run, _host: HostSnapshot, *, secret: SECRET, file: FILE = None, base64: BASE64 = False
) -> str:
    """Give a secret another value, which is asked for twice, or read from a file."""
    from tuivirt.backend import secret_verbs

    values = {"secret": secret, "file": file, "base64": base64}
    return secret_verbs.set_value(run.host, values, run.aborted, chose=_told(run, file))


def _plan_undefine(host: Host, _key: str, values: Mapping[str, Any]) -> Planned:
    from tuivirt.backend import secret_verbs

    return secret_verbs.plan_undefine(host, values)


@action(
    "host",
    title="Undefine a secret",
    virsh="virsh secret-undefine {secret}",
    api="virSecretUndefine",
    bulk=False,
    destructive=True,
    confirm="Undefine a secret of {name}? Its value goes with it.",
    plan=_plan_undefine,
)
def secret_undefine(run: Run, _host: HostSnapshot, *, secret: SECRET, force: FORCE = False) -> str:
    """Remove a secret and its value; who names it is told before."""
    from tuivirt.backend import secret_verbs

    values = {"secret": secret}
    return secret_verbs.undefine(
        run.host, values, force=force, chose=_told(run), aborted=run.aborted
    )
