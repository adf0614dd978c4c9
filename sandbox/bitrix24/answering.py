"""Runs one method: does it exist, may it be called so, is there time left; and writes the envelope (sheet 3.2)."""

from dataclasses import dataclass
from typing import Any

from sandbox.bitrix24.errors import Refusal
from sandbox.bitrix24.methods import known
from sandbox.bitrix24.php import php
from sandbox.bitrix24.turn import Listing, Method, Turn

WRONG_CONTEXT = "Current authorization type is denied for this method Application context required"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a method answered, with its page and its time."""

    result: Any
    time: dict[str, Any]
    total: int | None = None
    next: int | None = None

    def envelope(self) -> dict[str, Any]:
        """Returns the body of a single call."""
        body: dict[str, Any] = {"result": php(self.result)}
        if self.next is not None:
            body["next"] = self.next
        if self.total is not None:
            body["total"] = self.total
        return {**body, "time": self.time}


def run(turn: Turn, is_nested: bool = False) -> Reply:
    """Runs a turn's method; within a batch its time may be the batch's instead."""
    method = permitted(turn)
    operating = turn.portal.operating
    charges = not is_nested or turn.portal.dial["operating_in_batch"] == "nested"
    if charges:
        operating.check(turn.caller, turn.method, turn.now)
    try:
        found = method.handler(turn)
    finally:
        if charges:
            operating.charge(turn.caller, turn.method, operating.cost(turn.method), turn.now)
    listing = found if isinstance(found, Listing) else Listing(found)
    time = time_of(turn, operating.cost(turn.method), is_nested)
    return Reply(listing.result, time, listing.total, listing.next)


def permitted(turn: Turn) -> Method:
    """Returns the turn's method, or refuses for its name, its scope or its context."""
    method = known(turn, turn.method)
    if method is None:
        turn.portal.did_not_know(turn.method)
        raise unknown_method(turn)
    if method.scopes and not turn.scopes & set(method.scopes):
        whose = "access" if turn.is_app else "webhook"
        text = f"The request requires higher privileges than provided by the {whose} token"
        raise Refusal(turn.portal.dial["auth_error_status"], "insufficient_scope", text)
    if method.app_only and not turn.is_app:
        raise Refusal(403, "WRONG_AUTH_TYPE", WRONG_CONTEXT)
    return method


def unknown_method(turn: Turn) -> Refusal:
    """Returns the refusal of a method nobody knows."""
    return Refusal(turn.portal.dial["unknown_method_status"], "ERROR_METHOD_NOT_FOUND", "Method not found!")


def time_of(turn: Turn, seconds: float, is_nested: bool = False) -> dict[str, Any]:
    """Returns the `time` of a reply that took so many seconds."""
    portal = turn.portal
    finish = turn.now + seconds
    told: dict[str, Any] = {
        "start": turn.now,
        "finish": finish,
        "duration": round(seconds, 6),
        "processing": round(seconds, 6),
        "date_start": portal.moment_text(turn.now),
        "date_finish": portal.moment_text(finish),
    }
    if portal.dial["batch_time_operating" if is_nested else "time_operating"]:
        operating, reset = portal.operating.told(turn.caller, turn.method, turn.now)
        told |= {"operating_reset_at": reset, "operating": operating}
    return told
