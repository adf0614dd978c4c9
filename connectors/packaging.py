"""The package for a vendor's marketplace: what it is built of, and what its moderation finds wrong."""

from collections.abc import Callable
from dataclasses import dataclass

from connectors.protocol import App


class PackageRefused(Exception):
    """A package cannot be built of what was asked; its text says what to give instead."""


@dataclass(frozen=True, slots=True)
class PackageAsked:
    """What a marketplace package is built of; without ``app`` it leaves out what needs a secret of ours."""

    base_url: str  # where the hub answers
    app: App | None
    locales: tuple[str, ...]
    version: str
    support: str = ""  # pages a moderator opens; empty: pages of these names at the hub
    privacy: str = ""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A moderation rule a package breaks: where, what is there, what is allowed."""

    file: str
    what: str
    allowed: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Packaging:
    """How the package for the vendor's marketplace is made and checked; pure functions on bytes."""

    file_name: str
    build: Callable[[PackageAsked], bytes]  # raises PackageRefused
    check: Callable[[str, bytes], tuple[Flaw, ...]]  # (name of the file, what it holds)
