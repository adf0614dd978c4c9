"""A call among the portal's own calls: registered and finished, put on the deal, given its recording (sheet 5.1, 5.3).

A call that was finished is unknown to a second finish, and one that is registered again within half an hour is the one
that is there. So what an attempt in doubt may have finished is looked for in the statistics, by the id we gave it.
"""

from collections.abc import Sequence

from connectors.bitrix24.api import Api, Fault, Json, Replies, envelope
from connectors.bitrix24.cards import number, whole
from connectors.bitrix24.encoding import Link, command, result
from connectors.bitrix24.mappings import ANSWERED, CONTACT, DEAL, INCOMING, LEAD, MISSED
from connectors.bitrix24.parts import Owner, moment
from connectors.bitrix24.sending import Part
from connectors.bitrix24.trouble import is_denied, judged, words
from connectors.bitrix24.work import CALL_STEP, LINK_STEP, RECORD_STEP, Work
from connectors.errors import OF_INSTALLATION, ConnectorError, Refused
from connectors.protocol import Status, Why
from connectors.telling import Said

_ENTITIES = {CONTACT: "CONTACT", LEAD: "LEAD"}  # what a call can be of; a deal it can not [5.1]
_LOST = Said("answer_lost")


def asked(work: Work) -> str:
    """Ask the statistics for the call of a delivery [5.6]."""
    return command("voximplant.statistic.get", {"FILTER": {"EXTERNAL_CALL_ID": work.delivery.marker}})


def note_call(told: Replies, key: str, work: Work) -> None:
    """Note that an earlier attempt finished the call, where the statistics have it."""
    if key not in told.results:
        fault = told.faults.get(key)
        said = Said("no_statistics" if fault and is_denied(fault) else "untold")
        work.trouble(Status.RETRY, Why.UNREADABLE, said, detail=words(fault) if fault else "")
        return
    rows = [one for one in told.rows(key) if str(one.get("EXTERNAL_CALL_ID") or "") == work.delivery.marker]
    if rows:
        _finished(work, rows[0])
        if whole(rows[0].get("RECORD_FILE_ID")) or rows[0].get("CALL_RECORD_URL"):
            work.done.add(RECORD_STEP)


def parts(work: Work, on: Owner, user: object) -> list[Part]:
    """Return what registers and finishes the call of a delivery, and puts it on its deal; raises ``NoId``.

    ``user`` is who talked, or who is responsible: an id or a reference to one.
    """
    made: list[Part] = []
    activity: object = work.activity
    if CALL_STEP not in work.done:
        who = user if isinstance(user, Link) else number(user, "user")
        begun = Part(work, "register", "note", "telephony.externalCall.register", _begun(work, on, who), _took_begun)
        ended = _ended(work, result(begun.key, "CALL_ID"), who)
        over = Part(work, CALL_STEP, "note", "telephony.externalCall.finish", ended, _took_ended, _is_finished)
        made += [begun, over]
        activity = result(over.key, "CRM_ACTIVITY_ID")
    if on.entity == DEAL and LINK_STEP not in work.done:
        linked = {"activityId": activity, "entityTypeId": on.entity, "entityId": on.id}
        made.append(Part(work, LINK_STEP, "note", "crm.activity.binding.add", linked, _took_linked, _is_spared))
    return made


async def attach(api: Api, works: Sequence[Work]) -> None:
    """Have the portal fetch the recordings of calls: a request each, since a batch may not; again is as good as once.

    A recording that the portal does not take is a remark; the note has its link.
    """
    for work in works:
        if work.call and work.is_live and RECORD_STEP in work.steps() - work.done:
            await _attach(api, work)


async def _attach(api: Api, work: Work) -> None:
    enquiry = work.delivery.what.enquiry
    name = f"{enquiry.started_at:%Y-%m-%d-%H-%M-%S}.mp3"
    params = {"CALL_ID": work.call, "FILENAME": name, "RECORD_URL": enquiry.recording_url}
    try:
        envelope(await api.once("telephony.externalCall.attachRecord", params, (work.delivery.id,)))
    except Refused as error:
        verdict = judged(error)
        if verdict.status is Status.RETRY and verdict.why in OF_INSTALLATION:
            work.trouble(Status.RETRY, verdict.why, verdict.said, detail=error.detail)
        else:
            work.remarks.append(Said("record_refused", {"words": error.detail}))
            work.done.add(RECORD_STEP)
    except ConnectorError as error:
        work.trouble(Status.UNKNOWN, Why.UNAVAILABLE, _LOST, detail=error.detail)
    else:
        work.done.add(RECORD_STEP)


def _begun(work: Work, on: Owner, user: object) -> Json:
    enquiry = work.delivery.what.enquiry
    kind, id_ = (CONTACT, on.contact) if on.contact else (on.entity, on.id)
    its = {"CRM_ENTITY_TYPE": _ENTITIES[kind], "CRM_ENTITY_ID": id_} if kind in _ENTITIES else {}
    return {
        "USER_ID": user,
        "PHONE_NUMBER": enquiry.caller,
        "TYPE": INCOMING,
        "CALL_START_DATE": moment(enquiry.started_at),
        "CRM_CREATE": 0,
        **its,
        "SHOW": 0,
        "ADD_TO_CHAT": 0,
        "LINE_NUMBER": enquiry.dialled,
        "EXTERNAL_CALL_ID": work.delivery.marker,
    }


def _ended(work: Work, call: Link, user: object) -> Json:
    enquiry = work.delivery.what.enquiry
    return {
        "CALL_ID": call,
        "USER_ID": user,
        "DURATION": max(enquiry.talk_s, 0),
        "STATUS_CODE": ANSWERED if enquiry.answered else MISSED,
        "ADD_TO_CHAT": 0,
    }


def _took_begun(part: Part, found: object) -> bool:
    part.work.call = str(found.get("CALL_ID") or "") if isinstance(found, dict) else ""
    return bool(part.work.call)


def _took_ended(part: Part, found: object) -> bool:
    if not isinstance(found, dict) or not found.get("CALL_ID"):
        return False
    _finished(part.work, found)
    return True


def _finished(work: Work, row: Json) -> None:
    """Take a row of the statistics: the call is over, and its activity may be put on the deal."""
    work.call = str(row.get("CALL_ID") or "")
    work.activity = whole(row.get("CRM_ACTIVITY_ID"))
    work.finish(CALL_STEP, "note", str(work.activity or work.call))
    if not work.activity:
        work.done.add(LINK_STEP)


def _is_finished(part: Part, fault: Fault) -> bool:
    """Take a finish that is refused for a call that was registered a moment ago: an earlier attempt finished it."""
    work = part.work
    if not work.call or "not found" not in fault.text.lower():
        return False
    work.finish(CALL_STEP, "note", work.call)
    work.done.add(LINK_STEP)
    return True


def _took_linked(part: Part, _found: object) -> bool:
    part.work.done.add(LINK_STEP)
    return True


def _is_spared(part: Part, fault: Fault) -> bool:
    """The call stands on the contact whether it is put on the deal or not."""
    if "already" not in fault.text.lower():
        part.work.remarks.append(Said("call_not_on_deal", {"words": words(fault)}))
    part.work.done.add(LINK_STEP)
    return True
