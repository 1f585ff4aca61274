"""Each case of ``tests/lab/cases``, run in the lab host and told by it as a test of this machine.

``script/test tests/lab -k gpu`` starts what it takes for those cases alone.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.lab.case import Case, load
from tests.support.lab.host import Lab
from tests.support.lab.machine import HOSTS, Iommu
from tests.support.needs import missing

pytestmark = pytest.mark.lab

CHOSEN = [
    pytest.param(host, case, id=f"{host}-{case.name}")
    for host in HOSTS
    for case in load().values()
    if host in case.on
]


@pytest.mark.parametrize(("host", "case"), CHOSEN)
def test_in_the_lab(lab_with: Callable[[Iommu], Lab], host: Iommu, case: Case) -> None:
    lab = lab_with(host)
    report = lab.run(case.name, case.limit_s)
    if report.outcome == "skipped":
        missing(report.detail)
    if report.outcome == "failed":
        pytest.fail(f"{report.detail}\nthe host's console: {lab.kept}", pytrace=False)
