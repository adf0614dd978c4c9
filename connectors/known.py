"""What a CRM, or the hub's index of it, knows a person by."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

LEADS = "leads"  # the pipeline that leads are told to be in, where a CRM has them beside deals


@dataclass(frozen=True, slots=True)
class KnownDeal:
    """A deal or lead of a person as it was last read; what is not known is None."""

    id: str
    outcome: Literal["open", "won", "lost"]
    responsible: str | None = None
    pipeline: str | None = None
    stage: str | None = None
    closed_at: datetime | None = None
    is_lead: bool = False

    @property
    def is_open(self) -> bool:
        """Says whether it is neither won nor lost."""
        return self.outcome == "open"


@dataclass(frozen=True, slots=True)
class Known:
    """A contact that a person is known by, with its deals; ``contact`` is empty for leads that are nobody's yet."""

    contact: str
    deals: tuple[KnownDeal, ...]
    responsible: str | None = None


def age_of(id_: str) -> tuple[int, str]:
    """Order ids as they were given: numbers by their size, whatever else by its length and text."""
    return len(id_), id_
