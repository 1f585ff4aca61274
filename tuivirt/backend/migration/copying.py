"""The image of a domain that is off, copied from one host to the other through this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, from_libvirt

if TYPE_CHECKING:
    from ..host import Host

PIECE = 256 * 1024 - 1024
"""Bytes at once: a little less than the most that libvirt's stream takes in a packet."""
_HOLE = -3
"""What virStreamRecvFlags returns at a hole."""


def copy_volume(
    source: Host,
    target: Host,
    from_: Any,
    to: Any,
    *,
    sent: Callable[[int], None],
    aborted: threading.Event,
    over: bool = False,
) -> None:
    """Copy a volume's file, holes as holes. Raises Aborted, TuivirtError.

    ``over``: over a file that holds something. libvirt steps over a hole without clearing what was
    there, and cuts the file behind it; so zeros are written then. Source: virStorageVolDownload
    and virStorageVolUpload, with sparse streams.
    """
    what = f"cannot copy {from_.path()} from {source.name} to {target.name}"
    reading, writing = source.conn.newStream(0), target.conn.newStream(0)
    open_: list[Any] = []
    try:
        from_.download(reading, 0, 0, libvirt.VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM)
        open_.append(reading)
        sparse = 0 if over else libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM
        to.upload(writing, 0, 0, sparse)
        open_.append(writing)
        while True:
            if aborted.is_set():
                raise Aborted(what, "it was aborted")
            data = reading.recvFlags(PIECE, libvirt.VIR_STREAM_RECV_STOP_AT_HOLE)
            if data == _HOLE:
                length = reading.recvHole(0)
                if over:
                    _send_zeros(writing, length, aborted)
                else:
                    writing.sendHole(length, 0)
                sent(length)
            elif isinstance(data, int):
                raise libvirt.libvirtError(what)
            elif not data:
                break
            else:
                _send(writing, data)
                sent(len(data))
        reading.finish()
        open_.remove(reading)
        writing.finish()
        open_.remove(writing)
    except libvirt.libvirtError as error:
        raise from_libvirt(error, what) from error
    finally:
        for stream in open_:
            _give_up(stream)


def _send(stream: Any, data: bytes) -> None:
    while data:
        taken = stream.send(data)
        if taken < 0:
            raise libvirt.libvirtError("virStreamSend() failed")
        data = data[taken:]


def _send_zeros(stream: Any, length: int, aborted: threading.Event) -> None:
    while length and not aborted.is_set():
        size = min(length, PIECE)
        _send(stream, bytes(size))
        length -= size


def _give_up(stream: Any) -> None:
    try:
        stream.abort()
    except libvirt.libvirtError:
        return  # It has failed before: that is what is told.
