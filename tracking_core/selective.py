"""Which numbers a visit sees: the first rule of the site that fits its source, device, landing page and region decides.

Facts: product survey, section E (what vendors let customers choose by); DNI sheet, section 9.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from tracking_core.source import Source

CONDITIONS = ("channel", "source", "medium", "campaign", "landing", "device", "region")


class Device(StrEnum):
    """What the visitor holds in his hand."""

    MOBILE = "mobile"
    DESKTOP = "desktop"


@dataclass(frozen=True, slots=True)
class FromPool:
    """A number of this pool, leased to the visitor."""

    pool_id: int


@dataclass(frozen=True, slots=True)
class Static:
    """Always this number: a placement's."""

    e164: str


@dataclass(frozen=True, slots=True)
class Own:
    """The site's own number stays as it is."""


Show = FromPool | Static | Own


@dataclass(frozen=True, slots=True)
class Rule:
    """What visits of a kind see: for each number group of the site one ``Show``.

    ``when`` maps names of ``CONDITIONS`` to patterns (``*`` stands for any text, case does not count); one of the
    patterns of each name must fit. A group that ``show`` does not name is left to the next rules.
    """

    name: str
    when: Mapping[str, Sequence[str]] = field(default_factory=dict)
    show: Mapping[str, Show] = field(default_factory=dict)

    def fits(self, source: Source, device: Device, region: str | None = None) -> bool:
        """Says whether a visit with this source on this device from this region is of the rule's kind."""
        return all(
            any(pattern(one).fullmatch(_fact(name, source, device, region)) for one in patterns)
            for name, patterns in self.when.items()
        )


def shows(
    rules: Sequence[Rule], groups: Collection[str], source: Source, device: Device, region: str | None = None
) -> dict[str, Show]:
    """Returns for each asked group what the first rule that fits and names it says; ``Own`` when none does."""
    told: dict[str, Show] = {}
    for rule in rules:
        if len(told) == len(groups):
            break
        if rule.fits(source, device, region):
            told |= {group: show for group, show in rule.show.items() if group in groups and group not in told}
    return {group: told.get(group, Own()) for group in groups}


@lru_cache(maxsize=4_096)
def device_of(user_agent: str) -> Device:
    """Returns the kind of device a User-Agent names; tablets count as mobile."""
    is_mobile = re.search(r"Mobi|Android|iPad|iPhone|Tablet", user_agent)
    return Device.MOBILE if is_mobile else Device.DESKTOP


def _fact(name: str, source: Source, device: Device, region: str | None) -> str:
    if name == "region":
        return region or ""
    return str(device if name == "device" else getattr(source, name))


@lru_cache(maxsize=4_096)
def pattern(text: str) -> re.Pattern[str]:
    """Returns a pattern of a rule, ready to be held against a whole text."""
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.IGNORECASE | re.DOTALL)
