"""What was found, as uses and in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .named import Named
from .survey import Having
from .usage import Use


def use_of(named: Named, host: str, *, below: bool) -> Use:
    """``below``: it lies on the image asked about. ``host``: the other machine's."""
    return Use(
        named.domain,
        named.what,
        named.live,
        below,
        below or named.reads_only,
        "" if below else named.form,
        named.saved,
        host,
        named.uuid,
        later=named.active and not named.live,
        snapshot=named.snapshot,
        frozen=named.frozen,
        shareable=named.shareable and not below,
    )


def once(uses: list[Use]) -> Iterator[Use]:
    """A running domain's saved configuration mostly tells the same again."""
    seen = set()
    for each in uses:
        key = (each.host, each.uuid, each.target)
        if key not in seen:
            seen.add(key)
            yield each


def not_known(having: Having, host: str) -> Iterator[str]:
    """What is not known of what a disk lies on."""
    where = f" on host {host}" if host else ""
    for clause in having.unsure:
        yield f"what {having.named.domain}'s disk {having.named.what}{where} {clause}"


def not_sure(named: Named, host: str, doubts: Mapping[str, str]) -> Iterator[str]:
    """``doubts``: paths of what a domain has, and the server's folder that each is from there."""
    for path, source in doubts.items():
        yield (
            f"{named.what} of {named.domain} on host {host} has {path} of {source}, which may be "
            "the same"
        )
