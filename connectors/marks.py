"""The marks of our deliveries in what they wrote: ``hub:`` and the delivery's id."""

import re

_OURS = re.compile(r"(?<!\w)hub:[\w-]+")


def signed(mark: str, version: int) -> str:
    """Return a mark with the version of the scenario that asks for what it stands under."""
    return f"{mark} v{version}"


def is_ours(text: object) -> bool:
    """Say whether a text carries the mark of any delivery of a hub."""
    return isinstance(text, str) and _OURS.search(text) is not None
