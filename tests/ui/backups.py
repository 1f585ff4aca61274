"""A domain's checkpoints and backups, for the tests of their tab."""

from __future__ import annotations

import calendar
from typing import Any

import pytest
from textual.pilot import Pilot

from tuivirt.backend.model.checkpoint import BackupJob, Backups, Checkpoint, CheckpointDisk
from tuivirt.screens.domain import TABS

from . import processors, things
from .driver import DrivenApp, screen_text
from .things import settle

BEGAN = float(calendar.timegm((2026, 3, 1, 12, 0, 0, 0, 0, 0)))
MONDAY = BEGAN + 24 * 3600
KEY = str(TABS.index("backups") + 1)


def checkpoint(name: str, parent: str = "", hours: int = 0, **more: Any) -> Checkpoint:
    disks = (CheckpointDisk("vda", name), CheckpointDisk("vdb", name))
    given = {"disks": disks, "created": BEGAN + 3600 * hours, **more}
    return Checkpoint(name, parent=parent, **given)


FOUND = Backups(
    (
        checkpoint("sunday", description="made with a backup to /backups/web"),
        checkpoint("before the upgrade", "sunday", 1, description="of March"),
        checkpoint(
            "monday",
            "sunday",
            24,
            description="made with a backup to /backups/web",
            disks=(CheckpointDisk("vda", "monday"), CheckpointDisk("vdb")),
        ),
    )
)
JOB = BackupJob(
    "push",
    "monday",
    (("vda", "/backups/web/web-01.vda.inc1.qcow2"), ("vdb", "/backups/web/web-01.vdb.inc1.qcow2")),
    done_bytes=3 << 30,
    total_bytes=12 << 30,
)
PULLED = BackupJob("pull", files=(("vda", "/s/x"),), offered="nbd+unix:///vda?socket=/run/b/nbd")
BYTES = {"sunday": {"vda": 5 << 30, "vdb": 1 << 20}, "monday": {"vda": 300 << 20}}


def answer(monkeypatch: pytest.MonkeyPatch, found: Any) -> None:
    things.answer(
        monkeypatch,
        domain_detail=things.DETAIL,
        processing=processors.PROCESSING,
        host_topology=processors.machine(),
        backups=found,
        checkpoint_sizes=BYTES,
        part_xml="<domaincheckpoint><name>sunday</name></domaincheckpoint>",
    )


async def on_the_tab(app: DrivenApp, pilot: Pilot[Any]) -> None:
    await pilot.press("enter")
    await settle(app, pilot)
    await pilot.press(KEY)
    await settle(app, pilot)


def plain_of(app: DrivenApp) -> str:
    return " ".join(screen_text(app).split())
