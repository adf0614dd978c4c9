"""Who waits for our call, and the call that answered him: looked for where a goal or a scenario asks for it.

``reach`` is for how long after an enquiry our calls are looked for, None where nobody asks.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from hub.store import call_backs, inbox
from hub.store.enquiries import About, Person
from hub.store.tx import Tx
from tracking_core.call import Call, Direction
from tracking_core.enquiry import EnquiryKind
from tracking_core.qualify import NO_CALL_BACKS, CallBack, CallBacks, Rules, Waiting

_BEYOND = timedelta(days=1)  # a call back that came too late is still told of


def known(tx: Tx, tenant_id: int, who: Person, at: datetime, reach: timedelta | None) -> CallBacks:
    """Return our calls to a person who turned to us at a moment and was not answered."""
    if reach is None or who.phone_key is None:
        return NO_CALL_BACKS
    made = call_backs.made(tx, tenant_id, who.phone_key, at, at + reach)
    if not made:
        return NO_CALL_BACKS
    others = call_backs.unanswered(tx, tenant_id, who.phone_key, at - reach, at)
    waited = [Waiting(one.kind, one.at, one.since) for one in others]
    return CallBacks([CallBack(one.at, one.talk_s) for one in made], waited)


def of_call(tx: Tx, tenant_id: int, who: Person, call: Call, reach: timedelta | None) -> CallBacks:
    """Return our calls to a missed caller; none for a call that was not missed."""
    return known(tx, tenant_id, who, call.started_at, reach) if call.is_missed else NO_CALL_BACKS


def of_writing(
    tx: Tx, tenant_id: int, kind: EnquiryKind, about: About, reach: timedelta | None, now: datetime
) -> CallBacks:
    """Return our calls to who ordered one; none for what is no order."""
    if kind is not EnquiryKind.CALLBACK:
        return NO_CALL_BACKS
    waits(tx, tenant_id, about.person, about.at, reach, now)
    return known(tx, tenant_id, about.person, about.at, reach)


def told(tx: Tx, tenant_id: int, who: Person, call: Call, reach: timedelta | None, now: datetime) -> None:
    """Let those enquiries of this phone be looked at again that a call which is over may have changed."""
    if reach is None or not call.is_ended or call.direction is Direction.INTERNAL:
        return
    if call.direction is Direction.OUTBOUND:
        _look_at(tx, tenant_id, who, call.started_at - reach, call.started_at, now)
    else:
        waits(tx, tenant_id, who, call.started_at, reach, now)


def waits(tx: Tx, tenant_id: int, who: Person, at: datetime, reach: timedelta | None, now: datetime) -> None:
    """Let this person's later enquiries be looked at again: a call back may be for this one instead."""
    if reach is not None:
        _look_at(tx, tenant_id, who, at, at + reach, now)


def _look_at(tx: Tx, tenant_id: int, who: Person, after: datetime, before: datetime, now: datetime) -> None:
    if who.phone_key is not None:
        for one in call_backs.unanswered(tx, tenant_id, who.phone_key, after, before):
            inbox.look_at(tx, tenant_id, one.kind, one.key, now)


def reach(rules: Iterable[Rules], also: timedelta | None) -> timedelta | None:
    """Return for how long after an enquiry our calls are looked for, as goals and ``also`` ask; None for not at all."""
    spans = [timedelta(seconds=one.called_back_within_s) for one in rules if one.called_back_within_s is not None]
    spans += [also] if also is not None else []
    return max(spans) + _BEYOND if spans else None
