"""The telephony of the demo: what Mango Office and a small signed-JSON provider tell about a planned call.

Shapes and signatures are those of the telephony sheet, section 1 (Mango), and of Standard Webhooks.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from typing import Any
from urllib.parse import urlencode

from sandbox.demo.calls import CallPlan, Disorder, Kind
from sandbox.demo.door import Answer, Door, Letter

SHUFFLE_S = 4.0


@dataclass(frozen=True, slots=True)
class Message:
    """One request of a provider: when it is sent, to which path below the account's own, and what it says."""

    at: float
    path: str
    says: Mapping[str, Any]
    ends_call: bool = False


Tell = Callable[[CallPlan, str], Sequence[Message]]


def call_id(call: CallPlan) -> str:
    """Returns the provider's id of a planned call."""
    return f"demo-{call.number:04d}"


def mango_messages(call: CallPlan, dialled: str) -> Sequence[Message]:
    """Returns what Mango tells of a call: its legs, then its summary (sheet sections 1.1 and 1.2)."""
    if call.kind is Kind.INTERNAL:
        legs = _staff_legs(call, {"extension": "102", "number": "sip:u102@vpbx.example"})
    elif call.kind is Kind.OUTBOUND:
        legs = _staff_legs(call, {"number": _digits(call.caller), "line_number": _digits(dialled)})
    else:
        legs = _menu_legs(call, dialled) if call.number % 2 else _direct_legs(call, dialled)
    summary = Message(call.ends + 0.4, "/events/summary", _summary(call, dialled), ends_call=True)
    return disordered([*legs, summary], call.disorder)


def _direct_legs(call: CallPlan, line: str) -> list[Message]:
    """An employee's phone rings at once."""
    leg, near, far = f"{call_id(call)}-a", {"number": _digits(call.caller)}, _employee(call, line)
    told = [_leg(call, leg, 1, call.at, "Appeared", "abonent", near, far)]
    if call.is_answered:
        told.append(_leg(call, leg, 2, call.at + call.wait_s, "Connected", "abonent", near, far))
    return [*told, _leg(call, leg, 3, call.ends, "Disconnected", "abonent", near, far, _reason(call))]


def _employee(call: CallPlan, line: str) -> Mapping[str, str]:
    number = f"sip:u{call.operator}@vpbx.example"
    return {"extension": call.operator, "number": number, "line_number": _digits(line), "acd_group": "10"}


def _menu_legs(call: CallPlan, line: str) -> list[Message]:
    """The caller hears the menu, then an employee's phone rings, then they talk or nobody takes it."""
    menu, employee = f"{call_id(call)}-a", f"{call_id(call)}-b"
    near = {"number": _digits(call.caller)}
    greeted = {"number": _digits(line), "line_number": _digits(line)}
    rung = _employee(call, line)
    taken = {**near, "taken_from_call_id": menu}
    answered = call.at + call.wait_s
    through = call.at + min(3.0, call.wait_s / 2)
    told = [
        _leg(call, menu, 1, call.at, "Appeared", "ivr", near, greeted),
        _leg(call, menu, 2, call.at + 0.2, "Connected", "ivr", near, greeted),
        _leg(call, employee, 1, through, "Appeared", "abonent", taken, rung),
        _leg(call, menu, 3, through + 0.1, "Disconnected", "ivr", near, greeted, 1100),
    ]
    if call.is_answered:
        told.append(_leg(call, employee, 2, answered, "Connected", "abonent", taken, rung))
    told.append(_leg(call, employee, 3, call.ends, "Disconnected", "abonent", taken, rung, _reason(call)))
    return told


def _staff_legs(call: CallPlan, far: Mapping[str, str]) -> list[Message]:
    leg, near = (
        f"{call_id(call)}-a",
        {"extension": call.operator, "number": f"sip:u{call.operator}@vpbx.example"},
    )
    told = [_leg(call, leg, 1, call.at, "Appeared", "abonent", near, far)]
    if call.is_answered:
        told.append(_leg(call, leg, 2, call.at + call.wait_s, "Connected", "abonent", near, far))
    return [*told, _leg(call, leg, 3, call.ends, "Disconnected", "abonent", near, far, _reason(call))]


def _leg(
    call: CallPlan,
    leg: str,
    seq: int,
    at: float,
    state: str,
    location: str,
    near: Mapping[str, str],
    far: Mapping[str, str],
    reason: int | None = None,
) -> Message:
    says: dict[str, Any] = {
        "entry_id": call_id(call),
        "call_id": leg,
        "timestamp": int(at),
        "seq": seq,
        "call_state": state,
        "location": location,
        "from": near,
        "to": far,
        "dct": {"type": 0},
    }
    if reason is not None:
        says["disconnect_reason"] = reason
    return Message(at, "/events/call", says)


def _summary(call: CallPlan, dialled: str) -> Mapping[str, Any]:
    began, ended = int(call.at), int(call.ends)
    near, far = {"number": _digits(call.caller)}, {"extension": call.operator}
    far["number"] = f"sip:u{call.operator}@vpbx.example"
    if call.kind is Kind.OUTBOUND:
        near, far = far, near
    elif call.kind is Kind.INTERNAL:
        near, far = far, {"extension": "102", "number": "sip:u102@vpbx.example"}
    told: dict[str, Any] = {
        "entry_id": call_id(call),
        "call_direction": {Kind.INTERNAL: 0, Kind.OUTBOUND: 2}.get(call.kind, 1),
        "from": near,
        "to": far,
        "create_time": began,
        "forward_time": began + 2 if call.is_answered else 0,
        "talk_time": began + call.wait_s if call.is_answered else 0,
        "end_time": ended,
        "entry_result": int(call.is_answered),
        "disconnect_reason": _reason(call),
    }
    if call.kind is not Kind.INTERNAL:
        told["line_number"] = _digits(dialled)
    return told


def _reason(call: CallPlan) -> int:
    if call.is_answered:
        return 1110 if call.number % 2 else 1120  # caller or employee hung up
    return 1111


def _digits(phone: str | None) -> str:
    return phone.lstrip("+") if phone else "anonymous"


def generic_messages(call: CallPlan, dialled: str) -> Sequence[Message]:
    """Returns what the small provider tells of an inbound call: it rings, somebody answers, it ends."""
    told = [_fact(call, dialled, call.at, "ringing")]
    if call.is_answered:
        told.append(_fact(call, dialled, call.at + call.wait_s, "answered", operator=call.operator))
    ended = {
        "talk_s": call.talk_s,
        "wait_s": call.wait_s,
        "status": "answered" if call.is_answered else "missed",
        "operator": call.operator,
    }
    told.append(replace(_fact(call, dialled, call.ends, "ended", **ended), ends_call=True))
    return disordered(told, call.disorder)


def _fact(call: CallPlan, dialled: str, at: float, kind: str, **more: str | int) -> Message:
    told_at = datetime.fromtimestamp(at, UTC).isoformat()
    facts = {
        "call_id": call_id(call),
        "event": kind,
        "at": told_at,
        "direction": "inbound",
        "dialled": dialled,
    }
    return Message(at, "", {**facts, "caller": call.caller or "anonymous", **more})


def disordered(messages: Sequence[Message], disorder: Disorder) -> Sequence[Message]:
    """Returns messages as they arrive: late, twice or turned about, but each of them at least once."""
    told = list(messages)
    if disorder is Disorder.SHUFFLED and len(told) > 2:
        # The second fact comes after the third.
        told[1] = replace(told[1], at=told[2].at + SHUFFLE_S)
    elif disorder is Disorder.REPEATED:
        told += [replace(one, at=one.at + SHUFFLE_S) for one in told[::2]]
    elif disorder is Disorder.SUMMARY_FIRST:
        told[-2] = replace(told[-2], at=told[-1].at + SHUFFLE_S)
    return sorted(told, key=lambda one: one.at)


class Mango:
    """Posts form events the way Mango does: sign is sha256(key + json + salt)."""

    def __init__(self, door: Door, path: str, key: str, salt: str) -> None:
        self._door, self._path, self._key, self._salt = door, path, key, salt

    def post(self, message: Message) -> None:
        """Sends one message until the hub takes it; raises NoAnswer when the hub refuses it."""
        self._send(message, self._salt).expect(200)

    def forge(self, message: Message) -> bool:
        """Sends a message signed by somebody who does not know the salt; says whether the hub refused it."""
        return 400 <= self._send(message, "guessed").status < 500

    def _send(self, message: Message, salt: str) -> Answer:
        text = json.dumps(message.says, ensure_ascii=False, separators=(",", ":"))
        sign = sha256(f"{self._key}{text}{salt}".encode()).hexdigest()
        form = {"vpbx_api_key": self._key, "sign": sign, "json": text}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        letter = Letter(urlencode(form).encode(), headers)
        return self._door.send("POST", f"{self._path}{message.path}", letter)


class SmallProvider:
    """Posts signed JSON (Standard Webhooks); each try carries the time of that try."""

    def __init__(self, door: Door, path: str, secret: bytes, now: Callable[[], float]) -> None:
        self._door, self._path, self._secret, self._now = door, path, secret, now

    def post(self, message: Message) -> None:
        """Sends one message until the hub takes it; raises NoAnswer when the hub refuses it."""
        body = json.dumps(message.says, ensure_ascii=False).encode()
        message_id = "msg_" + sha256(body).hexdigest()[:24]
        self._door.send_fresh("POST", self._path, lambda: self._letter(message_id, body)).expect(200)

    def _letter(self, message_id: str, body: bytes) -> Letter:
        timestamp = str(int(self._now()))
        signed = f"{message_id}.{timestamp}.".encode() + body
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": "v1," + b64encode(digest(self._secret, signed, "sha256")).decode(),
        }
        return Letter(body, headers)
