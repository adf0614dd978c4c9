"""How a recording is asked for: the request its source wants, built of what it told and of the account's secrets."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Recording:
    """What telephony told of a recording: its address, or the id by which its source gives it out."""

    url: str | None = field(default=None, repr=False)
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Fetch:
    """One HTTP request for a recording; its answer is the sound, or leads to it by a redirect.

    ``link_in`` names the field of a JSON answer that holds the sound's own address, where the source answers so.
    """

    url: str = field(repr=False)
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    link_in: str = ""


def by_link(recording: Recording, secrets: Mapping[str, str]) -> Fetch | None:
    """Returns the request of a source whose link is enough; None where it told only an id or a file's name."""
    return Fetch(recording.url) if recording.url else None
