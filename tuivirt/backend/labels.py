"""Tags, the group and the note of a domain: written into its metadata, where colleagues see them.

Both configurations get them, as far as there are two: a label does not wait for the next boot.
Source: virDomainGetMetadata and virDomainSetMetadata with an element in a namespace of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import libvirt

from .errors import BadInput, TuivirtError, from_libvirt, is_gone, is_unsupported
from .lifecycle import domain_to_change, touch
from .model.domain import UNLABELLED, Labels
from .xml.errors import XmlError
from .xml.labels import NAMESPACE, PREFIX, read_own, unique, written

if TYPE_CHECKING:
    from .host import Host

TAG_CHARS, GROUP_CHARS, NOTE_CHARS = 40, 60, 4000
MOST_TAGS = 50
ROUNDS = 5
"""How often a change is made again that somebody else has overwritten."""

_NEVER = re.compile("[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Control characters, and what no XML can hold."""
_FLAGS = {
    True: libvirt.VIR_DOMAIN_AFFECT_LIVE,
    False: libvirt.VIR_DOMAIN_AFFECT_CONFIG,
    None: libvirt.VIR_DOMAIN_AFFECT_CURRENT,
}

Edit = Callable[[Labels], Labels]


def tag(host: Host, uuid: str, tags: str) -> str:
    """Put these tags on a domain, beside those that it has."""
    wanted = words(tags)

    def edit(labels: Labels) -> Labels:
        found = unique((*labels.tags, *wanted))
        if len(found) > MOST_TAGS:
            raise BadInput(f"more than {MOST_TAGS} tags are too many", f"it has {_hash(found)}")
        return replace(labels, tags=found)

    name, now = _change(host, uuid, edit)
    return f"{name} has the tags {_hash(now.tags)}"


def untag(host: Host, uuid: str, tags: str) -> str:
    """Take these tags away, however they are written."""
    gone = {each.casefold() for each in words(tags)}

    def edit(labels: Labels) -> Labels:
        return replace(labels, tags=tuple(t for t in labels.tags if t.casefold() not in gone))

    name, now = _change(host, uuid, edit)
    return f"{name} has the tags {_hash(now.tags)}" if now.tags else f"{name} has no tags"


def set_group(host: Host, uuid: str, group: str) -> str:
    """Put a domain into a group; '' takes it out of the one it is in."""
    if group:
        check({"group": group})
    wanted = " ".join(group.split())
    name, now = _change(host, uuid, lambda labels: replace(labels, group=wanted))
    return f"{name} is in the group {now.group}" if now.group else f"{name} is in no group"


def set_note(host: Host, uuid: str, note: str) -> str:
    """Write a note on a domain in place of the one it has; '' takes that away."""
    if note:
        check({"note": note})
    name, now = _change(host, uuid, lambda labels: replace(labels, note=note.strip()))
    return f"{name} has a note" if now.note else f"{name} has no note"


def labels_of(host: Host, uuid: str) -> Labels:
    """What is written on a domain now; nothing where the driver keeps no metadata.

    One call: it is asked of all domains of a host, over whatever line there is.
    """
    domain = host.handles.get(uuid) or host.domain(uuid)
    try:
        return read_own(_read(domain, None))
    except libvirt.libvirtError as error:
        if is_unsupported(error) or is_gone(error):
            return UNLABELLED
        raise from_libvirt(error, f"cannot read the labels of {domain.name()}") from error
    except XmlError as error:
        raise TuivirtError(f"cannot read the labels of {domain.name()}", str(error)) from error


def in_use(host: Host) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tags and the groups that domains of this host have, as far as they are known."""
    domains = host.snapshot.domains.values()
    tags = unique(tag for domain in domains for tag in domain.tags)
    groups = unique(domain.group for domain in domains if domain.group)
    return tuple(sorted(tags, key=str.casefold)), tuple(sorted(groups, key=str.casefold))


def words(tags: str) -> tuple[str, ...]:
    """The tags in what was typed: ``web #prod`` and ``web,prod`` too. Raises BadInput."""
    _refuse_controls("a tag", tags.replace("\n", " "))
    found = unique(each.lstrip("#") for each in re.split(r"[\s,]+", tags))
    found = tuple(each for each in found if each)
    if not found:
        raise BadInput("no tag is named", advice="name one: a single word")
    for each in found:
        if len(each) > TAG_CHARS:
            raise BadInput(f"the tag {each[:20]}… is too long", f"the most is {TAG_CHARS}")
    if len(found) > MOST_TAGS:
        raise BadInput(f"more than {MOST_TAGS} tags are too many")
    return found


def check(values: Mapping[str, Any]) -> None:
    """Raise BadInput for what cannot be written: values by the names of the actions' parameters."""
    if "tags" in values:
        words(values["tags"])
    for what, most in (("group", GROUP_CHARS), ("note", NOTE_CHARS)):
        if what in values:
            text = values[what].strip()
            if not text:
                raise BadInput(f"the {what} is empty", advice=f"take it away: unset-{what}")
            if what == "group" and "\n" in text:
                raise BadInput("the name of a group is one line")
            _refuse_controls(f"a {what}", text)
            if len(text) > most:
                why = f"{len(text)} characters, the most is {most}"
                raise BadInput(f"the {what} is too long", why)


def _refuse_controls(what: str, text: str) -> None:
    bad = _NEVER.search(text)
    if bad:
        raise BadInput(f"{what} cannot hold the character {bad[0]!r}")


def _hash(tags: Iterable[str]) -> str:
    return " ".join(f"#{each}" for each in tags)


def _change(host: Host, uuid: str, edit: Edit) -> tuple[str, Labels]:
    """Edit the labels of a domain; its name, and the labels that were read after it.

    What a colleague writes at the same time is kept: it is read right before, and once more
    after. Raises TuivirtError.
    """
    domain = domain_to_change(host, uuid)
    name = domain.name()
    what = f"cannot change the labels of {name}"
    try:
        with host.defining[uuid]:  # Nor is a saved configuration with the old ones defined.
            for _ in range(ROUNDS):
                sides = [on for on, there in _sides(domain).items() if there]
                old = {live: _read(domain, live) for live in sides}
                known = {live: read_own(text) for live, text in old.items()}
                new = {live: edit(labels) for live, labels in known.items()}
                if new == known:
                    return name, new[sides[0]]
                changed = [live for live in sides if new[live] != known[live]]
                _write(domain, {live: written(old[live], new[live]) for live in changed})
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    except XmlError as error:
        why = f"what its metadata holds is not ours: {error}"
        raise TuivirtError(what, why, "look at it: virsh metadata") from error
    finally:
        touch(host, uuid)
    raise TuivirtError(what, "others have overwritten it again and again", "try it once more")


def _sides(domain: Any) -> dict[bool, bool]:
    """Whether there is a live and a saved configuration."""
    return {True: bool(domain.isActive()), False: bool(domain.isPersistent())}


def _read(domain: Any, live: bool | None) -> str:
    """Our element in one of the configurations, or in that of now; '' where there is none."""
    try:
        kind = libvirt.VIR_DOMAIN_METADATA_ELEMENT
        return str(domain.metadata(kind, NAMESPACE, _FLAGS[live]))
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN_METADATA:
            return ""
        raise


def _write(domain: Any, texts: Mapping[bool, str]) -> None:
    """Write our element; in one call where all configurations get the same."""
    done = ""
    flags = [(text, _FLAGS[live]) for live, text in texts.items()]
    if len(set(texts.values())) == 1:
        flags = [(next(iter(texts.values())), sum(_FLAGS[live] for live in texts))]
    for text, affected in flags:
        try:
            kind = libvirt.VIR_DOMAIN_METADATA_ELEMENT
            domain.setMetadata(kind, text or None, PREFIX, NAMESPACE, affected)
        except libvirt.libvirtError as error:
            raised = from_libvirt(error, f"cannot change the labels of {domain.name()}")
            raised.done = done
            raise raised from error
        done = "the running domain has them, until it is shut down"
