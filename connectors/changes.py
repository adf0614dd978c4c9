"""What read-back brings of a CRM: deals, the stages they passed, contacts and payments, as they are there now."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

# A deal that is so much older than an enquiry was not made of it, whatever mark it carries: the CRM merged them.
OLDER_BY = timedelta(hours=1)
ROBOT = "robot"  # the author of a card where the CRM says that it was no user


@dataclass(frozen=True, slots=True)
class DealChange:
    """A deal as the CRM has it now; money in minor units of ``currency``; times aware UTC."""

    id: str
    url: str | None
    pipeline: str
    stage: str
    outcome: Literal["open", "won", "lost"]
    amount_minor: int
    currency: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    marker: str | None
    deleted: bool = False
    tags: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    responsible: str | None = None
    payments: tuple[str, ...] | None = None  # ids of those that stand on it; None where a deal does not tell
    author: str | None = None  # the user who made it, or ROBOT; None where it is not told


@dataclass(frozen=True, slots=True)
class StagePassed:
    """A stage that a deal stood in at a moment, wherever it is now; ids are the CRM's."""

    deal: str
    pipeline: str
    stage: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ContactChange:
    """A contact as the CRM has it now, and the keys a person is known by there (``Connector.keys_of``).

    Where ``is_sure`` is false these keys may be another contact's by now: whom they lead to only a search can say.
    """

    id: str
    keys: tuple[str, ...] = field(repr=False)
    deleted: bool = False
    is_sure: bool = True
    made_at: datetime | None = None
    author: str | None = None  # as of a deal


@dataclass(frozen=True, slots=True)
class ContactPage:
    """Contacts changed since a cursor; ``is_whole`` once every contact there is has been in a page."""

    contacts: tuple[ContactChange, ...]
    cursor: str
    more: bool
    is_whole: bool


@dataclass(frozen=True, slots=True)
class PaymentChange:
    """A payment as the CRM has it now; ``amount_minor`` zero withdraws it.

    ``deal`` is None where the deals tell what stands on them (``DealChange.payments``).
    """

    id: str
    deal: str | None
    amount_minor: int
    currency: str
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Changes since a cursor; ``more`` asks the hub to come back at once with the next cursor.

    ``stages`` are those that deals passed, oldest first. With ``all_payments`` every payment that is not named is gone.
    Where ``tells_gone`` is false a deal may go without a word, and the hub asks from time to time which it still has.
    """

    deals: tuple[DealChange, ...]
    payments: tuple[PaymentChange, ...]
    cursor: str
    more: bool
    stages: tuple[StagePassed, ...] = ()
    all_payments: bool = False
    tells_gone: bool = True
