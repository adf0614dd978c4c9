"""The rules of a vendor's marketplace for our application: what is asked of our own addresses, and what is found."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from connectors.errors import ConnectorError
from connectors.http import Answer
from connectors.protocol import Connector


class Ruling(StrEnum):
    """What is known of a rule."""

    KEPT = "kept"
    BROKEN = "broken"
    LOOK = "look"  # no program can tell: a person must look


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule, by its number in the connector's fact sheet, and what was found; ``to_do`` is for a person."""

    rule: str
    about: str
    ruling: Ruling
    found: str = ""  # what is there
    allowed: str = ""
    to_do: str = ""  # what mends it, or what to look at


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to an address of our own; a POST carries nothing, and changes nothing."""

    method: Literal["HEAD", "GET", "POST"]
    path: str


@dataclass(frozen=True, slots=True)
class Card:
    """What the marketplace is to show of the application, as an administrator wrote it down; empty: not written."""

    name: str = ""
    short_description: str = ""
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    keywords: str = ""
    icon: str = ""  # the name of a picture
    screenshots: tuple[str, ...] = ()
    pictures: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Looked:
    """What the rules are held against."""

    connector: Connector
    base_url: str  # where the hub answers, without a slash at the end
    answers: Mapping[Ask, Answer | ConnectorError]
    # What our pages say where nobody has named himself -> what to do about it.
    unnamed: Mapping[str, str] = field(default_factory=dict)
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class Publication:
    """The checklist of a marketplace; ``check`` is pure and names every rule once at least."""

    asks: tuple[Ask, ...]
    check: Callable[[Looked], tuple[Finding, ...]]
