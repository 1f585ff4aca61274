"""Each case of ``tests/lab/cases``, run in the lab host and told by it as a test of this machine.

``script/test tests/lab -k gpu`` starts the host and runs those cases alone.
"""

from __future__ import annotations

import pytest

from tests.lab.case import Case, load
from tests.support.lab.host import Lab
from tests.support.needs import missing

pytestmark = pytest.mark.lab


@pytest.mark.parametrize("case", load().values(), ids=lambda case: case.name)
def test_in_the_lab(lab: Lab, case: Case) -> None:
    report = lab.run(case.name, case.limit_s)
    if report.outcome == "skipped":
        missing(report.detail)
    if report.outcome == "failed":
        pytest.fail(f"{report.detail}\nthe host's console: {lab.kept}", pytrace=False)
