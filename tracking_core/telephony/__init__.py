"""Every source of call events the hub understands, by the name in its address."""

from collections.abc import Mapping

from tracking_core.telephony.contract import (
    BODY_LIMIT,
    Adapter,
    BadSignature,
    CallRequest,
    Refused,
    Stale,
    TooLarge,
    Unreadable,
)
from tracking_core.telephony.generic import GENERIC
from tracking_core.telephony.mango import MANGO

__all__ = [
    "ADAPTERS",
    "BODY_LIMIT",
    "Adapter",
    "BadSignature",
    "CallRequest",
    "Refused",
    "Stale",
    "TooLarge",
    "Unreadable",
]

ADAPTERS: Mapping[str, Adapter] = {adapter.name: adapter for adapter in (GENERIC, MANGO)}
