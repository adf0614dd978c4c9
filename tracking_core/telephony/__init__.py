"""Every source of call events the hub understands, by the name in its address."""

from collections.abc import Mapping

from tracking_core.telephony.asterisk import ASTERISK
from tracking_core.telephony.beeline import BEELINE
from tracking_core.telephony.contract import (
    BODY_LIMIT,
    Adapter,
    Answer,
    BadSignature,
    CallRequest,
    Refused,
    Routing,
    Stale,
    TooLarge,
    Unreadable,
)
from tracking_core.telephony.freeswitch import FREESWITCH
from tracking_core.telephony.generic import GENERIC
from tracking_core.telephony.kamailio import KAMAILIO
from tracking_core.telephony.mango import MANGO
from tracking_core.telephony.megafon import MEGAFON
from tracking_core.telephony.sipuni import SIPUNI
from tracking_core.telephony.telnyx import TELNYX
from tracking_core.telephony.twilio import TWILIO
from tracking_core.telephony.uis import UIS
from tracking_core.telephony.zadarma import ZADARMA

__all__ = [
    "ADAPTERS",
    "BODY_LIMIT",
    "Adapter",
    "Answer",
    "BadSignature",
    "CallRequest",
    "Refused",
    "Routing",
    "Stale",
    "TooLarge",
    "Unreadable",
]

_KNOWN = (
    GENERIC,
    MANGO,
    UIS,
    ZADARMA,
    TWILIO,
    TELNYX,
    MEGAFON,
    SIPUNI,
    BEELINE,
    FREESWITCH,
    ASTERISK,
    KAMAILIO,
)

ADAPTERS: Mapping[str, Adapter] = {adapter.name: adapter for adapter in _KNOWN}
