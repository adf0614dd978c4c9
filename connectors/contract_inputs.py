"""What the contract suite delivers: one ordinary call, and everything hostile that a caller or a page may bring."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from connectors.filling import filled
from connectors.protocol import Delivery
from connectors.scenario import Action, AddNote, AddTask, CallerState, CreateDeal, Enquiry, Plan, Result, Rule, Trigger

DELIVERY_ID = "d-1"
MARKER = "hub:3f0c1a52-7d1e-4b7a-9a53-0c2f6f6f9b11"
PHONE = "+79161234567"
STARTED = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)

HOSTILE: Mapping[str, Mapping[str, Any]] = {
    "cyrillic": {"operator": "Ёжик Щукин", "source": {"utm_source": "Яндекс", "utm_term": "съешь ещё"}},
    "emoji": {"reason": "☎️🔥", "source": {"utm_campaign": "💥" * 300}},
    "long": {"reason": "я" * 65_536, "source": {"landing": "https://example.ru/?" + "q" * 65_536}},
    "control characters": {"source": {"utm_source": "a\x00b\r\nc\u2028", "referrer": "\x1b[31m"}},
    "lone surrogate": {"reason": "\ud83d", "source": {"utm_term": "\udc00"}},
    "braces and quotes": {"source": {"utm_term": "{caller}'\"</script>{{"}},
    "spelt phone": {"caller": "+7 (495) 123-45-67"},
    "short phone": {"caller": "+112"},
    "not a phone": {"caller": "sip:nobody"},
    "anonymous": {"caller": None, "dialled": None},
    "negative": {"talk_s": -1, "wait_s": -5, "confidence": 7.5},
    "unknown source": {"source": {"": "", "utm_": "x", "constructor": "y"}},
}
JUNK: Sequence[bytes] = (
    b"",
    b"<html>502</html>",
    b"null",
    b"[]",
    b"{}",
    b"[1]",
    b'{"_embedded": 7}',
    b"\xff\xfe",
    b"[" * 9_999,
)
# What stands in the deal's name, the note and the task.
TEXTS: Mapping[str, str] = {
    "emoji": "☎️🔥👩‍👩‍👧‍👦" * 100,
    "10,000 letters": "я" * 10_000,
    "64 KB": "я" * 65_536,
    "control characters": "a\x00b\r\n\t\x1b[31m\u2028\x7f",
    "lone surrogate": "\ud83d oops \udc00",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)> &amp; </textarea>",
    "right to left": "\u202eمرحبا שלום\u202c \u200f",
    "combining": "Z\u0351\u036b\u0343" * 500,
    "braces and quotes": "{caller}'\"%s{{0}}\\",
    "spaces": " \n ",
    "json": '"}], "id": 999, "request_id": "d-9"',
}


def enquiry(**changed: Any) -> Enquiry:
    """Return the enquiry of the suite: an answered call with a source."""
    plain = Enquiry(
        id="e-1",
        caller=PHONE,
        dialled="+74951112233",
        started_at=STARTED,
        talk_s=61,
        wait_s=7,
        answered=True,
        recording_url="https://hub.example/rec/1.mp3",
        operator=None,
        source={"utm_source": "yandex", "utm_term": "окна"},
        confidence=0.9,
        reason="one visit saw this number",
    )
    return replace(plain, **changed)


def delivery(of: Enquiry | None = None, **changed: Any) -> Delivery:
    """Return the delivery of the suite: deal, note and task whatever the CRM knows of the caller."""
    actions = (CreateDeal("Звонок"), AddNote("Источник: yandex"), AddTask("Перезвонить", 15))
    cases = {
        CallerState.UNKNOWN: actions,
        CallerState.NO_OPEN_DEAL: actions,
        CallerState.OPEN_DEAL: actions[1:],
    }
    plan = Plan(of or enquiry(), scenario_version=1, trigger=Trigger.ENDED, rules=rules(cases))
    return replace(Delivery(DELIVERY_ID, MARKER, plan, attempt=1, in_doubt=False), **changed)


def with_texts(text: str) -> Delivery:
    """Return the delivery of the suite with ``text`` wherever a scenario may write one."""
    actions = (CreateDeal(text), AddNote(text), AddTask(text, 15))
    return delivery(what=replace(delivery().what, rules=rules(dict.fromkeys(CallerState, actions))))


def cases(plan: Plan) -> Mapping[CallerState, tuple[Action, ...]]:
    """Return what a plan asks for in each state that has a rule, whatever a call came to."""
    return {rule.state: filled(plan, rule) for rule in plan.rules if rule.result is Result.OTHERWISE}


def rules(cases: Mapping[CallerState, Sequence[Action]]) -> tuple[Rule, ...]:
    """Return the rules of some states, whatever a call came to."""
    numbered = enumerate(cases.items(), 1)
    return tuple(Rule(number, state, Result.OTHERWISE, tuple(actions)) for number, (state, actions) in numbered)
