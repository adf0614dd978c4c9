"""What a portal answers, without policy: everything is asked in batches, which count as one request each [2.1, 2.5].

The access token goes in the body; the vendor takes no header for it [3.1]. Whether an answer is an error its key
``error`` says, not its status [3.5].
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from connectors.errors import Refused, Unreadable
from connectors.http import Answer, Http, Problem

Json = dict[str, Any]

COMMANDS = 50  # of one batch [2.4]
PAGE = 50  # rows of one list, always [3.3]
READ_S, CREATE_S, TOKEN_S = 30.0, 70.0, 30.0
_SIZE = 1_000_000  # bytes of the commands of one batch
_DESCRIPTION_CAP = 300  # characters


class Denied(Refused):
    """The vendor named an error; ``code`` is its name in lower case, empty where it has none [3.5]."""

    def __init__(self, status: int, told: Problem, code: str) -> None:
        super().__init__(status, told.detail, readable=True, retry_after=told.retry_after)
        self.code = code


@dataclass(frozen=True, slots=True)
class Fault:
    """Why one command of a batch was not done: the error's name in lower case, and its words."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Replies:
    """What the commands of a batch brought, by their keys; ``clock`` is the vendor's time in Unix seconds, 0 untold."""

    results: Mapping[str, object] = field(default_factory=dict)
    faults: Mapping[str, Fault] = field(default_factory=dict)
    following: Mapping[str, object] = field(default_factory=dict)  # where a list goes on [3.3]
    clock: float = 0.0
    resets_at: float = 0.0  # when the vendor forgets the oldest minute of our requests [2.2]
    took: float = 0.0  # seconds it worked on the request, 0 untold [2.3]

    def __or__(self, other: "Replies") -> "Replies":
        return Replies(
            {**self.results, **other.results},
            {**self.faults, **other.faults},
            {**self.following, **other.following},
            self.clock or other.clock,
            max(self.resets_at, other.resets_at),
            self.took + other.took,
        )

    def object(self, key: str) -> Json:
        """Return a result that is an object; empty for anything else."""
        found = self.results.get(key)
        return found if isinstance(found, dict) else {}

    def card(self, key: str) -> Json:
        """Return the card of ``crm.item.get`` and its like; empty where there is none."""
        found = self.object(key).get("item")
        return found if isinstance(found, dict) else {}

    def rows(self, key: str, plural: str = "items") -> list[Json]:
        """Return the rows of a list, whether it is bare or under a name; an empty map may come as a list [0]."""
        found = self.results.get(key)
        if isinstance(found, dict):
            found = found.get(plural)
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


class Api:
    """One portal with a live access token."""

    def __init__(self, http: Http, address: str, access_token: str) -> None:
        self.address = address
        self._http = http
        self._token = access_token

    async def ask(self, commands: Mapping[str, str]) -> Replies:
        """Ask what changes nothing, in as few requests as it takes; raises ``ConnectorError``."""
        found = Replies()
        for some in portions(commands):
            answer = await self._send(some, halt=False, timeout=READ_S, reads=True)
            found |= replies(answer)
        return found

    async def change(self, commands: Mapping[str, str], of: Sequence[str] = (), *, halt: bool = False) -> Answer:
        """Have a batch done for the deliveries ``of``; with ``halt`` nothing is done after the first refusal."""
        return await self._send(commands, halt=halt, timeout=CREATE_S, of=of)

    async def once(self, method: str, params: Json, of: Sequence[str]) -> Answer:
        """Have one thing done that no batch may hold, for the deliveries ``of``; doing it again does no harm."""
        body = {**params, "auth": self._token}
        return await self._http.send("POST", f"{self.address}/rest/{method}", json=body, timeout=CREATE_S, of=of)

    async def _send(
        self, commands: Mapping[str, str], *, halt: bool, timeout: float, reads: bool = False, of: Sequence[str] = ()
    ) -> Answer:
        body = {"auth": self._token, "halt": int(halt), "cmd": dict(commands)}
        where = f"{self.address}/rest/batch"
        return await self._http.send("POST", where, json=body, timeout=timeout, creates=not reads, reads=reads, of=of)


def portions(commands: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield commands as batches take them: not too many at once, and not too long."""
    left = iter(commands.items())
    while some := dict(islice(left, COMMANDS)):
        part: dict[str, str] = {}
        size = 0
        for key, command in some.items():
            if part and size + len(command) > _SIZE:
                yield part
                part, size = {}, 0
            part[key] = command
            size += len(command)
        yield part


async def token(http: Http, address: str, asked: Mapping[str, str]) -> Answer:
    """Ask an authorisation server; ``asked`` carries the secret, the grant type and its code or token [1.6]."""
    return await http.send("POST", f"{address}/oauth/token/", form=asked, timeout=TOKEN_S, creates=True)


async def whose(http: Http, address: str, access_token: str) -> Answer:
    """Ask an authorisation server whose token this is [1.5]."""
    return await http.send("POST", f"{address}/rest/app.info", form={"auth": access_token}, timeout=TOKEN_S, reads=True)


def envelope(answer: Answer) -> Json:
    """Return the object of a success; raises ``Denied``, ``Refused`` or ``Unreadable`` [3.5]."""
    found = answer.json()
    if isinstance(found, dict) and "error" in found:
        raise Denied(answer.status, answer.problem(), _code(found["error"]))
    if not answer.ok:
        raise answer.refused()
    if not isinstance(found, dict):
        raise Unreadable(f"HTTP {answer.status} with a body that is not a JSON object")
    return found


def replies(answer: Answer) -> Replies:
    """Return what a batch brought; raises ``ConnectorError`` when the batch itself was refused or is unreadable."""
    found = envelope(answer)
    inner = found.get("result")
    if not isinstance(inner, dict) or not {"result", "result_error"} & inner.keys():
        raise Unreadable("the answer to a batch has no results")
    told = found.get("time")
    time = told if isinstance(told, dict) else {}
    return Replies(
        results=_map(inner.get("result")),
        faults={key: _fault(one) for key, one in _map(inner.get("result_error")).items()},
        following=_map(inner.get("result_next")),
        clock=_seconds(time.get("start")),
        resets_at=_seconds(time.get("operating_reset_at")),
        took=_seconds(time.get("duration")),
    )


def _map(found: object) -> dict[str, object]:
    """Return a map, which comes as a list where it is empty [0]."""
    return found if isinstance(found, dict) else {}


def _fault(found: object) -> Fault:
    told = found if isinstance(found, dict) else {"error": found}
    text = " ".join(str(told.get("error_description") or "").split())
    return Fault(_code(told.get("error")), text[:_DESCRIPTION_CAP])


def _code(found: object) -> str:
    """Return the name of an error in lower case; the newer interface has an object in its place [3.8]."""
    if isinstance(found, dict):
        found = found.get("code")
    return str(found if found is not None else "").strip().lower()


def _seconds(found: object) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return 0.0
    return float(found) if 0 < found < 1 << 33 else 0.0
