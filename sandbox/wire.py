"""What passes between the gate and a vendor: one Ask in, one Answer out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as it came over the wire; `arrived` in epoch seconds of the sandbox's clock, `client` an address."""

    number: int
    method: str
    scheme: str
    host: str
    path: str
    query: str
    headers: Headers
    body: bytes
    arrived: float
    client: str = ""

    @property
    def base(self) -> str:
        """The address the caller used, so that links come back with the host that was asked."""
        return f"{self.scheme}://{self.host}"

    def json(self) -> object:
        """Returns the parsed body; raises ValueError when it is not JSON."""
        return orjson.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `committed` tells whether the vendor's state changed before it was given."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: Headers = field(default_factory=dict)
    committed: bool = False


def json_answer(status: int, body: object, content_type: str = "application/json") -> Answer:
    """Returns an answer carrying `body` as JSON."""
    return Answer(status, orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS), content_type)
