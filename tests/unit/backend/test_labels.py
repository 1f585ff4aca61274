"""Which labels can be written, and what becomes of those that a colleague writes meanwhile."""

from __future__ import annotations

import threading
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import libvirt
import pytest

from tuivirt.backend import labels
from tuivirt.backend.errors import BadInput, TuivirtError
from tuivirt.backend.model.domain import Labels
from tuivirt.backend.xml.labels import read_own, written

LIVE, CONFIG = libvirt.VIR_DOMAIN_AFFECT_LIVE, libvirt.VIR_DOMAIN_AFFECT_CONFIG


class Failure(libvirt.libvirtError):  # type: ignore[misc]
    """libvirt's error of this code."""

    def __init__(self, code: int) -> None:
        Exception.__init__(self, "refused")
        self.err = None
        self._code = code

    def get_error_code(self) -> int:
        return self._code

    def get_error_message(self) -> str:
        return "refused"


class Domain:
    """A libvirt domain that keeps metadata."""

    def __init__(self, *, active: bool = True, persistent: bool = True) -> None:
        self.texts = {LIVE: "", CONFIG: ""}
        self.active, self.persistent = active, persistent
        self.calls: list[int] = []
        self.refuses = 0

    def name(self) -> str:
        return "web-01"

    def isActive(self) -> int:
        return self.active

    def isPersistent(self) -> int:
        return self.persistent

    def metadata(self, _kind: int, _uri: str, flags: int) -> str:
        if not self.texts[flags]:
            raise Failure(libvirt.VIR_ERR_NO_DOMAIN_METADATA)
        return self.texts[flags]

    def setMetadata(self, _kind: int, text: str | None, key: str, uri: str, flags: int) -> None:
        assert (key, uri) == ("tuivirt", "https://tuivirt.org/xmlns/domain/1")
        self.calls.append(flags)
        if flags & self.refuses:
            raise Failure(libvirt.VIR_ERR_OPERATION_INVALID)
        for side in (LIVE, CONFIG):
            if flags & side:
                self.texts[side] = text or ""

    def has(self, side: int, tags: str) -> None:
        self.texts[side] = written("", Labels(tuple(tags.split())))

    def tags(self, side: int) -> str:
        return " ".join(read_own(self.texts[side]).tags)


class Host:
    """What labels need of one."""

    name = "srv1"

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self.defining: defaultdict[str, Any] = defaultdict(threading.RLock)
        self.handles: dict[str, Domain] = {}
        self.touched = 0

    def require_write(self) -> None:
        pass

    def domain(self, _uuid: str) -> Domain:
        return self._domain

    def touch(self, _ref: object) -> None:
        self.touched += 1


def on(domain: Domain) -> Any:
    return Host(domain)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("web prod", ("web", "prod")),
        (" #web,#prod ,, web WEB ", ("web", "prod")),
        ("c++ 名前 a/b", ("c++", "名前", "a/b")),
    ],
)
def test_tags_are_single_words_with_or_without_their_hash(
    typed: str, meant: tuple[str, ...]
) -> None:
    assert labels.words(typed) == meant


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"tags": " ,# "}, "no tag is named"),
        ({"tags": "a\x1bb"}, "cannot hold the character '\\\\x1b'"),
        ({"tags": "a\x85b"}, "cannot hold the character"),
        ({"tags": "a\ud800"}, "cannot hold the character"),
        ({"tags": "a\ufffe"}, "cannot hold the character"),
        ({"tags": "x" * 41}, "too long"),
        ({"tags": " ".join(f"t{n}" for n in range(51))}, "more than 50"),
        ({"group": " "}, "the group is empty"),
        ({"group": "a\nb"}, "one line"),
        ({"group": "x" * 61}, "too long"),
        ({"note": "a\0b"}, "cannot hold"),
        ({"note": "x" * 4001}, "too long: 4001 characters, the most is 4000"),
    ],
)
def test_what_no_xml_can_hold_or_nobody_can_have_meant_is_refused(
    values: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadInput, match=why):
        labels.check(values)


def test_both_configurations_get_them_in_one_call() -> None:
    domain = Domain()
    host = on(domain)
    assert labels.tag(host, "u", "web prod") == "web-01 has the tags #web #prod"
    assert domain.calls == [LIVE | CONFIG]
    assert domain.tags(LIVE) == domain.tags(CONFIG) == "web prod"
    assert host.touched


def test_one_that_is_off_or_transient_has_one_configuration() -> None:
    off, transient = Domain(active=False), Domain(persistent=False)
    labels.set_group(on(off), "u", "shop")
    labels.set_note(on(transient), "u", "Ask Anna.")
    assert (off.calls, transient.calls) == ([CONFIG], [LIVE])


def test_what_is_there_already_is_not_written_again() -> None:
    domain = Domain()
    domain.has(LIVE, "Web")
    domain.has(CONFIG, "Web")
    assert labels.tag(on(domain), "u", "WEB") == "web-01 has the tags #Web"
    assert labels.untag(on(domain), "u", "db") == "web-01 has the tags #Web"
    assert domain.calls == []


def test_where_the_two_differ_each_keeps_its_own() -> None:
    domain = Domain()
    domain.has(LIVE, "now")
    domain.has(CONFIG, "later")
    labels.tag(on(domain), "u", "web")
    assert (domain.tags(LIVE), domain.tags(CONFIG)) == ("now web", "later web")


def test_a_tag_that_a_colleague_has_overwritten_is_put_beside_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    domain = Domain()
    plain = domain.setMetadata

    def lost_once(*args: Any) -> None:
        plain(*args)
        monkeypatch.setattr(domain, "setMetadata", plain)
        domain.has(LIVE, "theirs")
        domain.has(CONFIG, "theirs")

    monkeypatch.setattr(domain, "setMetadata", lost_once)
    assert labels.tag(on(domain), "u", "ours") == "web-01 has the tags #theirs #ours"
    assert domain.tags(LIVE) == domain.tags(CONFIG) == "theirs ours"


def test_who_is_overwritten_for_ever_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    domain = Domain(active=False)
    plain = domain.setMetadata

    def lost(*args: Any) -> None:
        plain(*args)
        domain.has(CONFIG, "theirs")

    monkeypatch.setattr(domain, "setMetadata", lost)
    with pytest.raises(TuivirtError, match="again and again"):
        labels.tag(on(domain), "u", "ours")


def test_a_half_that_was_done_is_told() -> None:
    domain = Domain()
    domain.has(LIVE, "now")
    domain.refuses = CONFIG
    with pytest.raises(TuivirtError, match="refused") as told:
        labels.tag(on(domain), "u", "web")
    assert told.value.done == "the running domain has them, until it is shut down"
    assert domain.tags(LIVE) == "now web"


def test_metadata_that_is_no_xml_is_left_alone() -> None:
    domain = Domain()
    domain.texts[LIVE] = "<labels>"
    with pytest.raises(TuivirtError, match="not ours"):
        labels.tag(on(domain), "u", "web")
    assert domain.calls == []


def test_a_driver_without_metadata_has_no_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    domain = Domain()

    def refuse(*_: object) -> str:
        raise Failure(libvirt.VIR_ERR_NO_SUPPORT)

    monkeypatch.setattr(domain, "metadata", refuse)
    assert labels.labels_of(on(domain), "u") == Labels()
    with pytest.raises(TuivirtError, match="refused"):
        labels.tag(on(domain), "u", "web")


def test_what_is_in_use_on_a_host_is_told_once() -> None:
    def domain(group: str, *tags: str) -> Any:
        return SimpleNamespace(group=group, tags=tags)

    domains = {1: domain("Shop", "web", "prod"), 2: domain("shop", "WEB", "db"), 3: domain("")}
    host: Any = SimpleNamespace(snapshot=SimpleNamespace(domains=domains))
    assert labels.in_use(host) == (("db", "prod", "web"), ("Shop",))


def test_what_is_written_on_a_domain_that_is_known_takes_one_call() -> None:
    calls: list[int] = []

    class Known:
        def metadata(self, _kind: int, _uri: str, flags: int) -> str:
            calls.append(flags)
            return written("", Labels(("web",)))

    host: Any = SimpleNamespace(handles={"u": Known()})
    assert labels.labels_of(host, "u").tags == ("web",)
    assert calls == [libvirt.VIR_DOMAIN_AFFECT_CURRENT]
