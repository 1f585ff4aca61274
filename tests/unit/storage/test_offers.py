"""Which formats a new volume can be of, and what a new image may be told beside its format."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import libvirt
import pytest
from lxml import etree

from tests.support.needs import missing
from tuivirt.backend.errors import BadInput
from tuivirt.backend.host import Host
from tuivirt.backend.storage import create
from tuivirt.backend.storage.offers import FORMATS, formats_of, refuse_format
from tuivirt.backend.xml.volume import new_volume

SCHEMA = Path("/usr/share/libvirt/schemas/storagevol.rng")
KIB = 1 << 10


def enum(*values: str) -> str:
    said = "".join(f"<value>{each}</value>" for each in values)
    return (
        f"<volOptions><defaultFormat type='{values[0]}'/>"
        f"<enum name='targetFormatType'>{said}</enum></volOptions>"
    )


CAPABILITIES = f"""<storagepoolCapabilities>
  <pool type='dir' supported='yes'>{enum("raw", "none", "iso", "qcow2", "brand-new")}</pool>
  <pool type='disk' supported='yes'>
    <poolOptions><defaultFormat type='unknown'/>
      <enum name='sourceFormatType'><value>gpt</value></enum></poolOptions>
    {enum("none", "linux", "extended")}
  </pool>
  <pool type='logical' supported='yes'/>
</storagepoolCapabilities>"""


def host(told: str | None = CAPABILITIES, version: str = "9.0.0") -> Host:
    """A host of which this is told; None: it knows no such call."""

    def capabilities(_flags: int) -> str:
        if told is None:
            raise libvirt.libvirtError("this function is not supported")
        return told

    info = SimpleNamespace(libvirt_version=version, demo=False, local=False)
    conn = SimpleNamespace(getStoragePoolCapabilities=capabilities)
    return cast(Host, SimpleNamespace(conn=conn, snapshot=SimpleNamespace(info=info)))


def test_the_formats_are_those_that_libvirt_tells_for_the_type_of_pool() -> None:
    assert formats_of(host(), "dir") == ("raw", "qcow2", "brand-new")
    assert formats_of(host(), "disk") == ("linux", "extended")
    assert formats_of(host(), "logical") == ()


def test_where_libvirt_tells_nothing_they_are_those_of_always() -> None:
    for silent in (host(None), host("<storagepoolCapabilities/>")):
        assert formats_of(silent, "netfs") == FORMATS
        assert formats_of(silent, "logical") == ()


@pytest.mark.parametrize(
    ("kind", "form", "said"),
    [
        ("dir", "vdi", "it makes raw, qcow2, brand-new"),
        ("disk", "qcow2", "it makes linux, extended"),
        ("logical", "qcow2", "a pool of the type logical has no images of a format"),
    ],
)
def test_another_is_refused_with_those_that_there_are(kind: str, form: str, said: str) -> None:
    with pytest.raises(BadInput) as told:
        refuse_format(host(), kind, form, "cannot")
    assert said in f"{told.value} {told.value.advice}"
    for fine in ("", "raw"):
        refuse_format(host(), kind, fine, "cannot")


@pytest.mark.parametrize("typed", ["512", "4K", "64KiB", "2M"])
def test_clusters_are_a_power_of_two(typed: str) -> None:
    create.clusters_of(typed)
    for wrong in (f"{create.clusters_of(typed) + 1}", "256", "4M", "96K", "large"):
        with pytest.raises(BadInput, match="the size of its clusters"):
            create.clusters_of(wrong)


def test_a_libvirt_that_would_drop_the_size_of_clusters_is_named_with_what_it_takes() -> None:
    create._refuse_old(host(version="7.4.0"), "cannot")
    with pytest.raises(BadInput, match=r"libvirt 7\.3\.0 .* takes 7\.4 or newer"):
        create._refuse_old(host(version="7.3.0"), "cannot")


def test_libvirts_schema_takes_the_size_of_clusters() -> None:
    if not SCHEMA.exists():
        missing("no schemas of libvirt here")
    xml = new_volume("a", 1 << 30, form="qcow2", clusters=128 * KIB)
    etree.RelaxNG(file=str(SCHEMA)).assertValid(etree.fromstring(xml))
    assert etree.fromstring(xml).findtext("target/clusterSize") == "131072"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"format": "raw", "prealloc_falloc": True}, "for qcow2 only"),
        ({"format": "vdi", "cluster_size": "64K"}, "for qcow2 only"),
        ({"prealloc_metadata": True, "backing_vol": "x"}, "lies on another"),
        ({"prealloc_falloc": True, "allocation": "1G"}, "said twice"),
        ({"cluster_size": "3K"}, "power of two"),
    ],
)
def test_what_cannot_be_together_is_told(values: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as told:
        create.check({"vol": "a", "capacity": "1G", **values})
    assert said in f"{told.value} {told.value.advice}"
