"""What a connector tells people, and what a person gives it by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Said:
    """What a connector has to say, by the code of a sentence and the values in it.

    Its words are in ``Connector.words``, or among those that all connectors share (connectors/common_words.py).
    """

    code: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return it as logs show it: nobody's language."""
        return f"{self.code} {dict(self.values)}" if self.values else self.code


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is the matter and what a person can do about it, in one language; templates of ``str.format``."""

    what: str
    to_do: str = ""
    is_note: bool = False  # worth knowing, and nothing is wrong

    @property
    def whole(self) -> str:
        """What is the matter and what can be done, in one text."""
        return f"{self.what} {self.to_do}".strip()


@dataclass(frozen=True, slots=True)
class Ringing:
    """How the vendor's doorbell to us is after a look; ``was_off``: the vendor itself had switched it off meanwhile."""

    rings: bool
    was_off: bool = False
    said: tuple[Said, ...] = ()  # why it does not ring, and what else could not be set up with it


NO_END = datetime(9000, 1, 1, tzinfo=UTC)  # until when an access is good of which nobody knows an end


def known_by_host(host: str) -> str:
    """Return the id of an account of which the vendor does not tell more than where it answers.

    The same account under the vendor's own id, once that is known, is one with it.
    """
    return f"host:{host}"


@dataclass(frozen=True, slots=True)
class Given:
    """An access token that a person gives by hand, for which account, and until when it is good if he says so.

    Where the token is an address, it names the account itself, and ``host`` is empty.
    """

    host: str
    token: str = field(repr=False)
    ends_at: datetime | None = None


class NotTaken(Exception):
    """What a person gave by hand cannot be used, and why."""

    def __init__(self, said: Said) -> None:
        super().__init__(str(said))
        self.said = said
