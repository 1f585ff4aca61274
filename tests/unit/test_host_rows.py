"""The rows of one host, as the list of domains takes them."""

from __future__ import annotations

from dataclasses import replace

from tests.ui import factory
from tuivirt.backend.model.host import HostSnapshot, Link
from tuivirt.screens.domain_columns import HostRows, Row, columns_for
from tuivirt.widgets.rows import Rows


def listed() -> tuple[HostSnapshot, HostRows, Rows[Row]]:
    """A host whose domains a table shows."""
    host = factory.sketch().hosts["srv1"]
    shown = HostRows(host)
    rows = Rows(columns_for(80, 1), "name")
    shown.show(host, 0.0)
    rows.replace_sections({"srv1": shown})
    return host, shown, rows


def test_a_row_that_changed_and_went_before_anybody_looked_is_gone() -> None:
    host, shown, rows = listed()
    uuid, domain = next(iter(host.domains.items()))
    changed = replace(host, domains={**host.domains, uuid: replace(domain, vcpus=9)})
    shown.show(changed, 1.0)
    left = {key: each for key, each in host.domains.items() if key != uuid}
    shown.show(replace(host, domains=left), 2.0)
    rows.replace_sections({"srv1": shown})
    assert len(rows.order) == len(left)
    assert all(key in shown.rows for key in rows.order)


def test_all_rows_are_news_once_their_host_is_lost_or_found() -> None:
    host = factory.sketch().hosts["srv1"]
    shown = HostRows(host)
    shown.show(host, 0.0)
    shown.take()
    shown.show(host, 1.0)
    assert not shown.take()[0]
    for link in (Link.LOST, Link.CONNECTED):
        shown.show(replace(host, link=link), 2.0)
        assert set(shown.take()[0]) == set(shown.rows)


def test_a_row_that_came_and_went_before_anybody_looked_never_was() -> None:
    host = factory.sketch().hosts["srv1"]
    shown = HostRows(host)
    rows = Rows(columns_for(80, 1), "name")
    rows.replace_sections({"srv1": shown})
    shown.show(host, 0.0)
    shown.show(replace(host, domains={}), 1.0)
    rows.replace_sections({"srv1": shown})
    assert rows.order == []


def test_what_is_looked_at_ahead_is_listed_with_the_rest_and_what_went_stays_until_then() -> None:
    host, shown, rows = listed()
    before = rows.order
    (gone, domain), *_ = host.domains.items()
    left = {key: each for key, each in host.domains.items() if key != gone}
    new = {"new": replace(domain, uuid="new", name="aaa")}
    shown.show(replace(host, domains={**left, **new}), 1.0)
    rows.look_ahead("srv1")
    rows.look_ahead("of-nobody")
    assert rows.order == before
    assert all(key in rows.all for key in before)  # They may have to be drawn meanwhile.
    rows.replace_sections({"srv1": shown})
    assert {shown.rows[key].domain.uuid for key in rows.order} == {*left, "new"}
    assert set(rows.all) == set(rows.order)


def test_what_went_and_came_back_before_it_was_listed_is_there() -> None:
    host, shown, rows = listed()
    before = rows.order
    for domains in ({}, dict(host.domains)):
        shown.show(replace(host, domains=domains), 1.0)
        rows.look_ahead("srv1")
    rows.replace_sections({"srv1": shown})
    assert rows.order == before
