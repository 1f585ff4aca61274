"""Opening a connection that may have to ask the operator something: by ssh, TLS, TCP, or SASL."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import libvirt

from . import bindings
from .aliases import resolved
from .connection import open_connection
from .errors import TuivirtError, Unanswered, code_of
from .events import Noticed
from .hung import Watch
from .inquiry import TRIES, Inquiry
from .model.question import QuestionKind
from .opening import explain
from .uri import transport

if TYPE_CHECKING:
    from .host import Host
    from .ssh.door import Door

ON_DEMAND = "it is tried again only when that is asked for (ctrl+r on the screen)"
_NAMES = (libvirt.VIR_CRED_USERNAME, libvirt.VIR_CRED_AUTHNAME)
_SECRET = (libvirt.VIR_CRED_PASSPHRASE, libvirt.VIR_CRED_NOECHOPROMPT)
_LOOPBACK = ("localhost", "::1", "")


class Admission:
    """The way in to one host. ``uri`` is whole: it may hold a password."""

    def __init__(self, host: Host, uri: str) -> None:
        self._host = host
        self._uri = resolved(uri)
        self.inquiry = Inquiry(host)
        self._door: Door | None = None
        self._watch: Watch | None = None
        self._closed = False
        self._warned = False
        self._logged = 0

    def open(self) -> Any:
        """A libvirt connection. Blocks for as long as the transport does, and the operator.

        Raises TuivirtError with the reason; Unanswered where another try would only ask again.
        """
        problem = TuivirtError("never tried")
        for number in range(TRIES):
            self.inquiry.begin(anew=number == 0)
            try:
                conn = self._try()
            except libvirt.libvirtError as error:
                problem = self._judge(error)
            except OSError as error:  # The door's folder.
                raise TuivirtError(f"cannot connect to {self._host.uri}", str(error)) from error
            else:
                return conn
            if self.inquiry.unanswered:
                raise Unanswered(problem.what, self.inquiry.unanswered, ON_DEMAND)
            if not _is_refusal(problem):
                raise problem
            self.inquiry.refused()
            if not self.inquiry.asked:
                raise problem
            if self._door is not None:
                break  # ssh has asked three times itself.
        if not self.inquiry.by_person:
            raise problem
        advice = [problem.advice] if problem.advice else []
        raise Unanswered(
            problem.what, problem.why, "; ".join([*advice, ON_DEMAND]), code=problem.code
        )

    def said(self) -> str:
        """What ssh said since the connection stands, of which it may have died; or nothing."""
        if self._door is None:
            return ""
        from .reasons import told_by_ssh

        told = told_by_ssh(self._door.said(), self._host.uri)
        return "" if told is None else told[0]

    @property
    def ssh(self) -> int | None:
        """The process of the ssh that was started last; None: that is not the way, or not told."""
        return None if self._door is None else self._door.ssh

    def close(self) -> None:
        """Withdraw what is asked, and end an ssh that is on its way."""
        self._closed = True
        self.inquiry.close()
        if self._door is not None:
            self._door.close()
        if self._watch is not None:
            # On a thread of its own: it asks for addresses, and closing waits for nothing.
            threading.Thread(target=self._watch.give_up, daemon=True).start()

    def _try(self) -> Any:
        host, uri, way = self._host, self._uri, transport(self._uri)
        if way == "tcp":
            self._warn()
        if way != "ssh":
            self._logged = len(bindings.logged())
            with Watch(uri, way, lambda: self.inquiry.waiting) as self._watch:
                return open_connection(uri, host.readonly, self.answer)
        if self._door is None:
            from .ssh.door import Door

            self._door = Door(uri, self.inquiry)
            if self._closed:  # Meanwhile: whoever closed it saw no door.
                self._door.close()
        self._door.begin()
        try:
            conn = open_connection(self._door.uri, host.readonly, self.answer)
        finally:
            self._door.settled()
        self._door.forget()
        return conn

    def _warn(self) -> None:
        """Say once that anybody on the line can read along."""
        where = urlsplit(self._uri).hostname or ""
        if self._warned or where in _LOOPBACK or where.startswith("127."):
            return
        self._warned = True
        text = (
            f"the connection to {where} is plain TCP: unless SASL encrypts it, all of it, consoles "
            "too, can be read and changed on the way; qemu+tls:// and qemu+ssh:// cannot"
        )
        self._host.tell(Noticed(host=self._host.name, text=text))

    def _judge(self, error: libvirt.libvirtError) -> TuivirtError:
        door = self._door
        said = door.said() if door is not None else ""
        way_in = door or self._watch
        if way_in is not None and way_in.given_up and not self.inquiry.unanswered:
            return TuivirtError(
                f"cannot connect to {self._host.uri}",
                "the host did not go on for a minute" + (f": {said}" if said else ""),
                "is it overloaded, or what listens there stopped? It is tried again",
                code=code_of(error),
            )
        if door is None:
            # Of a certificate that does not fit libvirt says why in its log alone.
            noted = [line for line in bindings.logged()[self._logged :] if "ertificate" in line]
            return explain(error, self._host.uri, noted=noted[-1] if noted else "")
        return explain(error, self._host.uri, said)

    def answer(self, wanted: list[list[Any]], _opaque: Any = None) -> int:
        """libvirt's callback: fills in ``wanted``; 0, or -1 where the operator did not answer.

        Each is [type, prompt, challenge, default, answer].
        """
        name = unquote(urlsplit(self._uri).username or "")
        for each in sorted(wanted, key=lambda each: each[0] != libvirt.VIR_CRED_AUTHNAME):
            kind, prompt, _challenge, default, _answer = each
            if name and kind in _NAMES:
                # On whose behalf one logs in is asked as well: hardly ever it is somebody else's.
                each[4] = name
                continue
            prompt = prompt or ""
            sort = QuestionKind.SECRET if kind in _SECRET else QuestionKind.TEXT
            yes_no = prompt.endswith("(y/n)?")
            if yes_no:
                sort = QuestionKind.YES_NO
            question = self.inquiry.post(
                sort,
                prompt,
                # A one-time code would be wrong the next time.
                kept=kind in (*_NAMES, libvirt.VIR_CRED_PASSPHRASE) or "assword" in prompt,
                default=default or "",
            )
            answer = question.wait()
            if answer is None:
                return -1
            each[4] = answer[:1] if yes_no else answer
            if kind in _NAMES:
                name = answer
        return 0


def _is_refusal(problem: TuivirtError) -> bool:
    """Whether the host knew whom it spoke with, or did not want to, and said no."""
    if problem.code in (libvirt.VIR_ERR_AUTH_FAILED, libvirt.VIR_ERR_AUTH_CANCELLED):
        return True
    why = problem.why.lower()
    return "permission denied (" in why or "too many authentication failures" in why
