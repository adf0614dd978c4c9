"""The gate every vendor request passes: ledger, limits, fault, vendor, answer.

    read body -> ledger row -> latency -> vendor.front -> fault before commit -> vendor.answer (commits)
              -> fault after commit -> send or drop -> ledger row closed

The vendor answers synchronously, so nothing can come between the commit and the fault that follows it.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

from starlette.types import Receive, Scope, Send

from sandbox.clock import Clock
from sandbox.dial import Dial
from sandbox.faults import Fault, FaultDeck
from sandbox.ledger import Ledger, LedgerRow
from sandbox.misnaming import with_foreign_id, with_missing_id
from sandbox.wire import Answer, Ask

TRANSPORT = "sandbox.transport"
REPLACED_BEFORE = ("429", "500", "503", "html_error", "token_expired")
GLANCE_S = 0.005  # how often a hang looks at a clock that somebody else moves
PAGE = b"<html><head><title>OK</title></head><body>Done.</body></html>"
# The honest answer, its effect stored, spoiled on its way back.
SPOILED: Mapping[str, Callable[[Answer], Answer]] = {
    "half_json": lambda answer: replace(answer, body=answer.body[: len(answer.body) // 2]),
    "page_after_commit": lambda answer: replace(answer, body=PAGE, content_type="text/html"),
    "wrong_content_type": lambda answer: replace(answer, content_type="text/html; charset=UTF-8"),
    "missing_id": with_missing_id,
    "foreign_id": with_foreign_id,
}
REPLACED_AFTER = ("500_after_commit", "502_after_commit", "504_after_commit")


class Vendor(Protocol):
    """What a simulator gives to the gate."""

    def front(self, ask: Ask) -> Answer | None:
        """Returns the refusal of limits and blocks, or None to let the request in."""

    def answer(self, ask: Ask) -> Answer:
        """Returns the honest answer, its effect already stored."""

    def fault(self, name: str, ask: Ask) -> Answer:
        """Returns the vendor's own body for a fault such as 429 or html_error."""


class ConnectionDropped(Exception):
    """The sandbox closed the connection on purpose where no real connection exists (in-process tests)."""


class Gate:
    """An ASGI application around one vendor."""

    def __init__(self, vendor: Vendor, ledger: Ledger, dial: Dial, clock: Clock) -> None:
        self._vendor, self._ledger, self._dial, self._clock = vendor, ledger, dial, clock
        self._deck = FaultDeck(dial)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        ask = _ask(self._ledger.next_number(), scope, body, self._clock())
        row = self._ledger.open(ask, re.compile(self._dial["marker_pattern"]), self._dial["keep_bodies"])
        delay = self._deck.latency()
        if delay:
            await asyncio.sleep(delay)
        answer, fault = self._decide(ask, row)
        if answer is None:
            self._ledger.close(row, 0, 0, self._clock())
            await _drop(scope, receive)
            return
        if fault and fault.name == "hang":
            await self._hang(ask, self._seconds(fault, "hang_seconds"))
        self._ledger.close(row, answer.status, len(answer.body), self._clock())
        slow = self._seconds(fault, "slow_body_seconds") if fault and fault.name == "slow_body" else 0.0
        await _send(send, answer, slow)

    def _decide(self, ask: Ask, row: LedgerRow) -> tuple[Answer | None, Fault | None]:
        refused = self._vendor.front(ask)
        if refused is not None:
            return refused, None
        fault = self._deck.deal(ask)
        row.fault = fault.name if fault else None
        if fault and fault.name == "drop_before":
            return None, fault
        if fault and fault.name in REPLACED_BEFORE:
            return self._vendor.fault(fault.name, ask), fault
        answer = self._vendor.answer(ask)
        row.committed = answer.committed
        return self._spoiled(answer, fault, ask), fault

    def _spoiled(self, answer: Answer, fault: Fault | None, ask: Ask) -> Answer | None:
        if fault is None:
            return answer
        if fault.name == "drop_after":
            return None
        if fault.name in REPLACED_AFTER:
            return self._vendor.fault(fault.name, ask)
        return SPOILED[fault.name](answer) if fault.name in SPOILED else answer

    async def _hang(self, ask: Ask, seconds: float) -> None:
        if self._dial["hang_by"] == "real":
            await asyncio.sleep(seconds)
            return
        while self._clock() < ask.arrived + seconds:  # noqa: ASYNC110 - another process moves the clock
            await asyncio.sleep(GLANCE_S)

    def _seconds(self, fault: Fault, knob: str) -> float:
        return float(self._dial[knob] if fault.seconds is None else fault.seconds)


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(chunks)


def _ask(number: int, scope: Scope, body: bytes, arrived: float) -> Ask:
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return Ask(
        number=number,
        method=scope["method"],
        scheme=scope["scheme"],
        host=headers.get("host", "127.0.0.1"),
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        arrived=arrived,
        client=(scope.get("client") or ("",))[0],
    )


async def _send(send: Send, answer: Answer, slow: float) -> None:
    headers = [(b"content-length", str(len(answer.body)).encode())] if answer.status != 204 else []
    if answer.content_type:
        headers.append((b"content-type", answer.content_type.encode()))
    headers += [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if slow and len(answer.body) > 1:
        middle = len(answer.body) // 2
        await send({"type": "http.response.body", "body": answer.body[:middle], "more_body": True})
        await asyncio.sleep(slow)
        await send({"type": "http.response.body", "body": answer.body[middle:]})
        return
    await send({"type": "http.response.body", "body": answer.body})


async def _drop(scope: Scope, receive: Receive) -> None:
    transport = scope.get(TRANSPORT)
    if transport is None:
        raise ConnectionDropped(scope["path"])
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
