"""A plan on the command line: what speaks against it is in the exit status, too."""

from __future__ import annotations

import pytest

from tuivirt.actions.plans import told
from tuivirt.backend.errors import BadInput
from tuivirt.backend.model.finding import Finding, Plan, Weight


def plan(weight: Weight) -> Plan:
    return Plan("web-01", ("it is moved",), (Finding(weight, "the host is full", "wait"),))


def test_a_risk_ends_it_as_it_would_end_the_real_one_unless_it_is_taken() -> None:
    with pytest.raises(BadInput) as refused:
        told(plan(Weight.RISK), "web-01 would not be moved", force=False)
    assert refused.value.what == "web-01 would not be moved"
    assert "the host is full" in refused.value.why
    assert refused.value.advice == "--force takes the risk"
    assert "the host is full" in told(plan(Weight.RISK), "", force=True)


def test_what_is_refused_is_so_with_force_and_a_note_is_no_reason() -> None:
    with pytest.raises(BadInput, match="the host is full"):
        told(plan(Weight.REFUSED), "web-01 would not be moved", force=True)
    assert "it is moved" in told(plan(Weight.NOTE), "", force=False)
