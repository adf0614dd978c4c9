"""Where a call rings: a phone as E.164, a SIP address, or an extension of the exchange, each safe in a dialplan."""

import re
from enum import StrEnum

from tracking_core.phone import to_e164

_EXTENSION = re.compile(r"[0-9*#]{1,6}|[A-Za-z][A-Za-z0-9_.-]{0,63}")
_SIP = re.compile(r"(sips?):([A-Za-z0-9_.+*#-]{1,64})@([A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?", re.IGNORECASE)


class DestinationKind(StrEnum):
    """What kind of place a call rings at."""

    PHONE = "phone"
    SIP = "sip"
    EXTENSION = "extension"


def to_destination(text: str) -> str | None:
    """Returns a destination in its one spelling, or None for what is none; a phone may be spelt in any way."""
    text = text.strip()
    if found := _SIP.fullmatch(text):
        return f"{found[1].lower()}:{found[2]}@{found[3].lower()}{found[4] or ''}"
    if ":" in text or "@" in text:
        return None
    if _EXTENSION.fullmatch(text):
        return text
    return to_e164(text)


def kind_of(destination: str) -> DestinationKind:
    """Returns the kind of a destination that ``to_destination`` gave."""
    if destination.startswith("+"):
        return DestinationKind.PHONE
    return DestinationKind.SIP if ":" in destination else DestinationKind.EXTENSION
