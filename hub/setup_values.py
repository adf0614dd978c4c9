"""Single values of the set-up file that are read into one spelling."""

import re
from decimal import Decimal
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from tracking_core.destination import to_destination
from tracking_core.phone import to_e164

_ORIGIN = re.compile(r"(https?)://((?:\[[0-9a-f:]+\]|[\w.-]+)(?::[0-9]{1,5})?)/?")


def _phone(text: str) -> str:
    e164 = to_e164(text)
    if e164 is None:
        raise ValueError("is not a phone number like +7 495 123-45-67")
    return e164


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ValueError("is not a network like 203.0.113.0/24") from error


def _origin(text: str) -> str:
    """Read a host, or an address without a path: where recordings may come from."""
    found = _ORIGIN.fullmatch(text.lower() if "://" in text else f"https://{text.lower()}")
    if found is None:
        raise ValueError("is not a host like pbx.example or an address like http://10.0.0.7:8088")
    return f"{found[1]}://{found[2]}"


def _destination(text: str) -> str:
    found = to_destination(text)
    if found is None:
        raise ValueError("is not a phone like +7 495 123-45-67, sip:sales@pbx.example, or an extension like 101")
    return found


Origin = Annotated[str, AfterValidator(_origin)]
Destination = Annotated[str, AfterValidator(_destination)]
Money = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2)]
Network = Annotated[str, AfterValidator(_network)]
Phone = Annotated[str, AfterValidator(_phone)]
Name = Annotated[str, Field(min_length=1, max_length=120)]
STRICT = ConfigDict(extra="forbid", frozen=True)  # a part of the file has no other keys, and nothing changes it
