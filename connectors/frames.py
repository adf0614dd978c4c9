"""Pages of ours that a CRM shows in a frame inside its own: who opened them, on what, and how they speak to it.

The form that opens such a page comes from a browser and can be made up by anybody. ``vouch`` asks the vendor whose
token it carries; only then is anything shown. The page's own requests carry a ticket, which ``Hooks.opened`` reads.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.telling import Said

if TYPE_CHECKING:  # it speaks this vocabulary
    from connectors.http import Http
    from connectors.protocol import App, Grant, HookRequest, Opened


@dataclass(frozen=True, slots=True)
class Framed:
    """A page of ours as the CRM opened it."""

    opened: "Opened"
    card: tuple[str, str] | None  # kind and id of the card it stands on; None: it is the account's settings
    ticket: str = field(repr=False)
    grant: "Grant | None" = field(repr=False)  # the access it brought; None where who looks is no administrator
    language: str  # of who looks, as the CRM tells it
    is_new: bool  # the account waits for the page to say that the installation is finished


class Hidden(Exception):
    """A page is not shown to who opened it, and why."""

    def __init__(self, said: Said) -> None:
        super().__init__(str(said))
        self.said = said


@dataclass(frozen=True, slots=True)
class Frames:
    """How a vendor opens pages of ours inside its own.

    ``script`` is the connector's part of the page: it defines ``cthubFrame`` with ``finish()``, which ends an
    installation, and ``fit()``, after which the frame is as high as what it shows.
    """

    vouch: "Callable[[Http, App, HookRequest, datetime], Awaitable[Framed]]"  # raises Hidden, InstallationError
    script: Callable[[], bytes]
    library: "Callable[[App], str]"  # address of the vendor's own script
    parent: "Callable[[App, str], str]"  # (app, host of an account) -> the origin whose pages show ours
