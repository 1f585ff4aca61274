"""A domain moved to another host: planned, prepared, done, looked at again, and told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import libvirt

from ..errors import Aborted, BadInput, TuivirtError, from_libvirt, is_gone
from ..lifecycle import Progress, domain_to_change
from ..model.finding import Planned, Weight
from ..model.migration import DiskFacts, MigrationPlan
from ..model.ref import Kind, Ref
from ..uri import shown
from .destination import destination
from .job import figures_of
from .options import flags_of, params_of
from .plan import make_plan
from .preparing import Prepared
from .run import Running
from .truth import Side, advice, both, look_at_both

if TYPE_CHECKING:
    from ..host import Host

Chose = Callable[..., None]


def plan_for(host: Host, uuid: str, dest: str, values: Mapping[str, Any]) -> MigrationPlan:
    """How it would be done; nothing is changed. Raises BadInput, TuivirtError."""
    with destination(host, dest) as target:
        return make_plan(host, target, uuid, values)


def migrate(
    host: Host,
    uuid: str,
    dest: str,
    values: Mapping[str, Any],
    *,
    force: bool = False,
    progress: Progress | None = None,
    aborted: threading.Event | None = None,
    chose: Chose | None = None,
) -> str:
    """Move a domain to the host ``dest``. ``force``: though the plan names risks.

    Raises BadInput for what is refused, with nothing changed; Aborted or TuivirtError with what
    is true on both hosts after it. Source: virDomainMigrate3, virDomainMigrateToURI3.
    """
    with destination(host, dest) as target:
        target.require_write()
        with host.traffic.job():
            domain = domain_to_change(host, uuid)
            move = _Move(host, target, domain, values, force, progress, aborted, chose)
        return move.done()


class _Move:
    """One domain on its way."""

    def __init__(
        self,
        source: Host,
        target: Host,
        domain: Any,
        values: Mapping[str, Any],
        force: bool,
        progress: Progress | None,
        aborted: threading.Event | None,
        chose: Chose | None,
    ) -> None:
        self.source = source
        self.target = target
        self.domain = domain
        self.uuid = str(domain.UUIDString())
        self.name = str(domain.name())
        self.values = values
        self.force = force
        self.aborted = aborted or threading.Event()
        self._progress = progress
        self._chose = chose
        self.what = f"cannot move {self.name} to {target.name}"
        self.autostarts = bool(domain.isPersistent() and domain.autostart())

    def tell(self, text: str, fraction: float | None = None) -> None:
        if self._progress is not None:
            self._progress(text, fraction)

    def done(self) -> str:
        """Do all of it; the sentence that says what is true now."""
        self.tell("looking at both hosts")
        plan = self.planned()
        began = time.monotonic()
        with Prepared(self, plan) as prepared:
            values = self.settle(prepared.plan, prepared.copied)
            running = self.run(values, prepared)
            here, there = look_at_both(self.source, self.target, self.uuid, self.aborted, self.tell)
            self.touch()
            arrived = there.active or not values["live"]
            if running.failure is not None and not (arrived and here.known and not here.there):
                raise self.failed(running, here, there, prepared) from running.failure
        took_s = time.monotonic() - began
        with self.calling():
            return self.moved(values, running, here, there, took_s, prepared)

    def planned(self) -> MigrationPlan:
        """The plan as it is by now. Raises BadInput where it may not be carried out."""
        plan = make_plan(self.source, self.target, self.uuid, self.values)
        refuse(plan, self.what, self.force)
        return plan

    def settle(self, plan: MigrationPlan, copied: tuple[DiskFacts, ...]) -> dict[str, Any]:
        """The options as they are given to libvirt, told for the equivalent command."""
        values = dict(plan.values)
        inc = bool(values.get("copy_storage_inc"))
        live = bool(values["live"])
        values["copy_storage_inc"] = bool(copied and inc and live)
        values["copy_storage_all"] = bool(copied and not inc and live)
        # The other daemon has neither our ssh nor a use for a password.
        values["desturi"] = values.get("desturi") or shown(self.target.conn.getURI())
        if self._chose is not None:
            self._chose(**{**values, "desturi": shown(values["desturi"])})
        return values

    def run(self, values: Mapping[str, Any], prepared: Prepared) -> Running:
        params, flags, copied = params_of(values), flags_of(values), prepared.copied
        if copied and values["live"]:
            params[libvirt.VIR_MIGRATE_PARAM_MIGRATE_DISKS] = [disk.target for disk in copied]
        # It holds the target's connection: if that breaks meanwhile it is closed, and libvirt would
        # go on with memory that is freed.
        held = self.target.conn.newStream(0)
        if values["p2p"]:
            call = partial(self.domain.migrateToURI3, values["desturi"], params, flags)
        else:
            call = partial(self.domain.migrate3, self.target.conn, params, flags)
        running = Running(
            self.domain,
            call,
            self.waiting,
            self.source.traffic.job,
            progress=self.tell,
            aborted=self.aborted,
            timeout_s=values.get("timeout"),
            postcopy=bool(values.get("timeout_postcopy")),
            max_downtime_ms=values.get("max_downtime"),
            memory_bytes=self.domain.info()[1] << 10,
        )
        if self.aborted.is_set():
            when = "before it began"
            if copied and not values["live"]:
                when = "once its images were copied, before it was defined there"
            raise Aborted(self.what, f"it was aborted {when}")
        if not values["live"] and self.domain.isActive():
            # libvirt would define it there all the same, and its images are as they were before.
            raise TuivirtError(self.what, "it was started meanwhile", "move it again: it is live")
        prepared.keep()
        running.run()
        del held
        return running

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the call that takes as long as the move."""
        with self.source.traffic.standing(), self.target.traffic.standing():
            yield

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Around all other calls."""
        with self.source.traffic.job(), self.target.traffic.job():
            yield

    def touch(self) -> None:
        for host in (self.source, self.target):
            host.touch(Ref(host.name, Kind.DOMAIN, self.uuid))

    # -- how it ended -------------------------------------------------------------------------

    def failed(self, running: Running, here: Side, there: Side, prepared: Prepared) -> TuivirtError:
        """What went wrong, where the domain is now, and what is left."""
        error = running.failure
        true = both(here, there)
        # Where the source has it no more, or cannot be asked, it may have run on the target
        # already: what it wrote is in the images there.
        if there.known and not there.there and here.known and here.there:
            told = prepared.undo()
        else:
            told = prepared.left()
        if prepared.removed:
            true += f"; {', '.join(prepared.removed)} that was made there is removed again"
        next_ = advice(self.name, here, there)
        if not next_ and not running.abort_asked and isinstance(error, libvirt.libvirtError):
            next_ = _advice(error)
        if running.paused and here.active and not here.runs:
            next_ = f"it was paused because of its time; {next_}"
        if running.abort_asked:
            what = f"moving {self.name} to {self.target.name} was aborted"
            return Aborted(what, true, next_, told)
        what = f"{self.name} was not moved to {self.target.name}"
        if isinstance(error, libvirt.libvirtError):
            failure = from_libvirt(error, what, next_)
        else:
            # A defect of ours, or of libvirt's bindings: it may have moved something all the same.
            failure = TuivirtError(what, f"{type(error).__name__}: {error}", next_)
        failure.what += f" ({true})"
        failure.why, failure.done = shown(failure.why), told
        return failure

    def moved(
        self,
        values: Mapping[str, Any],
        running: Running,
        here: Side,
        there: Side,
        took_s: float,
        prepared: Prepared,
    ) -> str:
        """What is true now, when libvirt says that it was moved; more is read than that."""
        name, target = values.get("dname") or self.name, self.target.name
        troubles = [*running.troubles, *prepared.troubles]
        if running.failure is not None:
            # The call failed, the move did not: the daemons had done it when our line broke.
            troubles.append(f"libvirt had reported: {shown(str(running.failure))}")
        if not values["live"] and here.known and here.active:
            raise TuivirtError(
                self.what,
                f"it was started on {self.source.name} meanwhile: {both(here, there)}",
                f"Undefine it on {target}, where its images are older, before anybody starts it"
                f" there; where {self.source.name} has it not defined any more, define it again",
                prepared.left(),
            )
        if not there.known:
            return f"libvirt says that {name} is on {target} now, but {there.words}"
        if not there.there:
            raise TuivirtError(
                self.what,
                f"libvirt reported no error, but {both(here, there)}",
                "look at the events of both hosts",
            )
        if values["live"]:
            state = "runs" if there.runs else f"is {there.state.word}"
            told = [f"moved in {took_s:.1f} s", *self.downtime()]
            said = f"{name} {state} on {target} now ({', '.join(told)})"
        else:
            number = len(prepared.copied)
            copied = f", {number} image{'s' * (number > 1)} copied" if number else ""
            said = f"{name} is defined on {target} now, off ({took_s:.1f} s{copied})"
        if values["persistent"] and not there.persistent:
            troubles.append(f"it is not defined on {target}, though that was asked for")
        if here.known and here.there and values["undefinesource"]:
            troubles.append(f"its configuration is still on {self.source.name}")
        if not here.known:
            troubles.append(here.words)
        troubles += self.autostart(values, there)
        return "; ".join([said, *troubles])

    def downtime(self) -> list[str]:
        """For how long it stood still, as the target measured it."""
        try:
            domain = self.target.conn.lookupByUUIDString(self.uuid)
            stats = domain.jobStats(
                libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED | libvirt.VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED
            )
        except libvirt.libvirtError:
            return []  # A driver, or an old one, that does not tell.
        figures = figures_of(stats)
        return [] if figures.downtime_ms is None else [f"downtime {figures.downtime_ms} ms"]

    def autostart(self, values: Mapping[str, Any], there: Side) -> list[str]:
        """libvirt moves no autostart: the target is told."""
        if not (self.autostarts and there.persistent and values["persistent"]):
            return []
        try:
            self.target.conn.lookupByUUIDString(self.uuid).setAutostart(1)
        except libvirt.libvirtError as error:
            return [f"it is not started with {self.target.name}: {error.get_error_message()}"]
        return []


def refuse(plan: Planned, what: str, force: bool) -> None:
    """Raise BadInput where the plan may not be carried out."""
    refused, risks = plan.of(Weight.REFUSED), plan.of(Weight.RISK)
    if refused:
        raise BadInput(what, "; ".join(each.text for each in refused), refused[0].advice)
    if risks and not force:
        said = [each.advice for each in risks if each.advice][:1]
        raise BadInput(
            what,
            "; ".join(each.text for each in risks),
            ". ".join([*said, "With --force it is done all the same"]),
        )


def _advice(error: libvirt.libvirtError) -> str:
    text = str(error).lower()
    if error.get_error_code() == libvirt.VIR_ERR_MIGRATE_UNSAFE:
        return (
            "libvirt does not trust the storage or the disks' caches: copy the images"
            " (--copy-storage-all), or say --unsafe if both hosts really share it"
        )
    if "resolve" in text or "name or service" in text or "fqdn" in text:
        return "give the target's address: --migrateuri tcp://ADDRESS"
    if "unable to connect" in text or "connection refused" in text or "no route" in text:
        return (
            "the source's host could not reach the target's: is a firewall between them (ports"
            " 49152 to 49215), or has it another address (--migrateuri)?"
        )
    if is_gone(error):
        return ""
    return "its log on both hosts may say more: /var/log/libvirt/qemu"
