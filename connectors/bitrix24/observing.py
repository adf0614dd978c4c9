"""Calls of the portal's own telephony: found there, and their cards given the source; nothing is created (5.6, 5.7).

The portal counts the same call that we do: of the same number, begun within a minute and a half. What it made or found
for that call - a deal, a lead, else a contact or a company - is told where the call came from, where it does not say so
yet. A portal that has not written the call down is asked again, for half an hour.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from connectors.bitrix24 import asking, left
from connectors.bitrix24.api import Api, Fault, Json, Replies
from connectors.bitrix24.cards import named, whole
from connectors.bitrix24.encoding import command
from connectors.bitrix24.find import digits, significant, time_of
from connectors.bitrix24.mappings import COMPANY, CONTACT, DEAL, INCOMING, LEAD, OUR_CALLS, REDIRECTED
from connectors.bitrix24.parts import ORIGINAL_NAMES, Owner, moment, source_of
from connectors.bitrix24.sending import Part, took_change
from connectors.bitrix24.settings import Settings
from connectors.bitrix24.trouble import checked, is_denied, trouble, words
from connectors.bitrix24.work import ENRICH_STEP, Work
from connectors.deciding import decide_on
from connectors.errors import ConnectorError
from connectors.protocol import InstallationError, KnownDeal, Status, Why
from connectors.telling import Said

NEAR = timedelta(seconds=90)  # between the beginnings that the portal and telephony tell of one call [5.7]
PATIENCE = timedelta(minutes=30)  # with a portal that has not written a call down
_LINE = 7  # digits of what is a telephone number, not the name of a line
_ENDING = 10  # digits of a number that are the same however it is written
_ENTITIES = {"LEAD": LEAD, "DEAL": DEAL, "CONTACT": CONTACT, "COMPANY": COMPANY}
_RANK = (DEAL, LEAD, CONTACT, COMPANY)  # on which of the cards of a call its source is written
_UNTOLD = Said("untold")
# What a portal does not have: while it may come, and when it had its time.
_NO_CALL = (Said("no_call_yet"), Said("no_call_there"))
_NO_CARD = (Said("no_card_yet"), Said("no_card_there"))


async def look(api: Api, settings: Settings, works: Sequence[Work]) -> None:
    """Find the card of each call, and what it does not say of its source; raises ``InstallationError``."""
    if not works:
        return
    try:
        told = checked(await api.ask({f"rows{work.place}": _rows(work) for work in works}))
        found = {work.place: row for work in works if (row := _row(told, work))}
        asked = [work for work in works if work.place in found]
        told = checked(await api.ask(_of_activities(asked, found)))
        cards = {work.place: card for work in asked if (card := _card(told, work, found[work.place]))}
        asked = [work for work in asked if work.place in cards]
        told = checked(await api.ask(_of_cards(asked, cards)))
    except ConnectorError as error:
        raise trouble(error) from None
    for work in asked:
        _take(told, work, cards[work.place][0], settings)


def parts(work: Work, on: Owner) -> list[Part]:
    """Return what writes the source on a card that does not say it."""
    if not work.unsaid or ENRICH_STEP in work.done:
        return []
    asked = {"entityTypeId": on.entity, "id": on.id, "fields": work.unsaid, **ORIGINAL_NAMES}
    return [Part(work, ENRICH_STEP, "note", "crm.item.update", asked, took_change, _is_spared)]


# -- the call


def _rows(work: Work) -> str:
    enquiry = work.delivery.what.enquiry
    near = {
        ">=CALL_START_DATE": moment(enquiry.started_at - NEAR),
        "<=CALL_START_DATE": moment(enquiry.started_at + NEAR),
    }
    of = {"%PHONE_NUMBER": _ending(enquiry.caller)} if enquiry.caller else {}
    return command("voximplant.statistic.get", {"FILTER": of | near, "SORT": "ID", "ORDER": "ASC"})


def _ending(phone: str) -> str:
    return significant(phone)[1][-_ENDING:]


def _row(told: Replies, work: Work) -> Json | None:
    """Return the portal's row of a call, the nearest of several; notes why there is none."""
    key = f"rows{work.place}"
    fault = told.faults.get(key)
    if fault and is_denied(fault):
        raise InstallationError(Why.FORBIDDEN, Said("no_statistics"))
    if fault or key not in told.results:
        work.trouble(Status.RETRY, Why.UNREADABLE, _UNTOLD, detail=words(fault) if fault else "")
        return None
    rows = [row for row in told.rows(key) if _may_be(row, work)]
    if not rows:
        _wait(told, work, _NO_CALL)
        return None
    return min(rows, key=lambda row: _unlikeness(row, work))


def _may_be(row: Json, work: Work) -> bool:
    """Say whether a row may be the call: an incoming one, of this caller or of a hidden number, and none of ours."""
    caller = work.delivery.what.enquiry.caller
    phone = digits(str(row.get("PHONE_NUMBER") or ""))
    is_his = phone.endswith(_ending(caller)) if caller else len(phone) < _LINE
    is_ours = str(row.get("EXTERNAL_CALL_ID") or "").startswith(OUR_CALLS)
    at = time_of(row.get("CALL_START_DATE"))
    is_near = at is not None and abs(at - work.delivery.what.enquiry.started_at) <= NEAR
    return is_his and is_near and not is_ours and whole(row.get("CALL_TYPE")) in (INCOMING, REDIRECTED)


def _unlikeness(row: Json, work: Work) -> tuple[bool, timedelta]:
    """Return how far a row is from the call: the line that was dialled says more than the second."""
    enquiry = work.delivery.what.enquiry
    line = digits(str(row.get("PORTAL_NUMBER") or ""))
    is_other = not (enquiry.dialled and len(line) >= _LINE and line.endswith(_ending(enquiry.dialled)))
    at = time_of(row.get("CALL_START_DATE")) or enquiry.started_at
    return is_other, abs(at - enquiry.started_at)


def _wait(told: Replies, work: Work, lacks: tuple[Said, Said]) -> None:
    """Have a call looked for again, or give it to a person when the portal had its time."""
    enquiry = work.delivery.what.enquiry
    over = enquiry.started_at + timedelta(seconds=max(enquiry.talk_s, 0) + max(enquiry.wait_s, 0))
    is_late = bool(told.clock) and datetime.fromtimestamp(told.clock, UTC) - over > PATIENCE
    if is_late:
        work.trouble(Status.REJECTED, Why.INVALID, lacks[1])
    else:
        work.trouble(Status.RETRY, Why.TOO_EARLY, lacks[0])


# -- its card


def _of_activities(works: Sequence[Work], rows: Mapping[int, Json]) -> dict[str, str]:
    """Ask what the activities of calls stand on [5.7]."""
    activities = {work.place: whole(rows[work.place].get("CRM_ACTIVITY_ID")) for work in works}
    return {
        f"bound{place}": command("crm.activity.binding.list", {"activityId": id_})
        for place, id_ in activities.items()
        if id_
    }


def _card(told: Replies, work: Work, row: Json) -> tuple[int, int] | None:
    """Return the card of a call: what its activity stands on, else what the row names; notes why there is none."""
    key = f"bound{work.place}"
    bound = [(whole(one.get("entityTypeId")), whole(one.get("entityId"))) for one in told.rows(key)]
    bound.append((_ENTITIES.get(str(row.get("CRM_ENTITY_TYPE") or ""), 0), whole(row.get("CRM_ENTITY_ID"))))
    known = [(entity, id_) for entity, id_ in bound if entity in _RANK and id_]
    if not known:
        _wait(told, work, _NO_CARD)
        return None
    return min(known, key=lambda one: (_RANK.index(one[0]), -one[1]))


def _of_cards(works: Sequence[Work], cards: Mapping[int, tuple[int, int]]) -> dict[str, str]:
    asked: dict[str, str] = {}
    for work in works:
        entity, id_ = cards[work.place]
        asked[f"card{work.place}"] = asking.card(entity, id_)
        if work.looks_first:
            asked |= left.asked(str(work.place), entity, id_)
    return asked


def _take(told: Replies, work: Work, entity: int, settings: Settings) -> None:
    """Take a card as the one of a delivery, with what it does not say yet and what an earlier attempt wrote."""
    key = f"card{work.place}"
    card, fault = told.card(key), told.faults.get(key)
    if fault or not whole(card.get("id")):
        work.trouble(Status.RETRY, Why.UNREADABLE, _UNTOLD, detail=words(fault) if fault else "")
        return
    work.found_deal(entity, card)
    if entity in (DEAL, LEAD) and (contact := whole(card.get("contactId"))):
        work.hold(contact)
    work.follow(decide_on(work.delivery.what, KnownDeal(named(entity, work.deal), "open"), str(work.contact or "")))
    wanted = source_of(work.delivery.what, settings)
    work.unsaid = {name: text for name, text in wanted.items() if name in card and not card[name]}
    if work.looks_first:
        left.note_steps(told, str(work.place), work)


def _is_spared(part: Part, fault: Fault) -> bool:
    """The note has the source whether the fields of the card take it or not."""
    part.work.remarks.append(Said("source_not_on_card", {"words": words(fault)}))
    part.work.done.add(ENRICH_STEP)
    return True
