"""Beeline cloud PBX: unsigned BroadWorks XSI events, so the address is the secret (telephony sheet, section 6.3).

The full schema is UNVERIFIED: elements are found by their local names, wherever they stand under eventData.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from xml.etree.ElementTree import Element, ParseError, XMLParser

from tracking_core.call_event import CallEvent, CallEventKind, CallStatus, Direction, dedupe_key
from tracking_core.phone import is_anonymous, to_e164
from tracking_core.telephony.contract import Adapter, CallRequest, Unreadable, refuse_oversized
from tracking_core.telephony.forms import text_of
from tracking_core.telephony.reading import Fields, code, first, moment, name_of, words

_KINDS = {
    "CallOriginatedEvent": CallEventKind.RINGING,
    "CallReceivedEvent": CallEventKind.RINGING,
    "CallAnsweredEvent": CallEventKind.ANSWERED,
    "CallUpdatedEvent": CallEventKind.UPDATED,
    "CallHeldEvent": CallEventKind.HELD,
    "CallRetrievedEvent": CallEventKind.UPDATED,
    "CallTransferredEvent": CallEventKind.TRANSFERRED,
    "CallReleasedEvent": CallEventKind.ENDED,
}
_DIRECTIONS = {
    "Terminator": Direction.INBOUND,
    "Originator": Direction.OUTBOUND,
    "Click-to-Dial": Direction.OUTBOUND,
}
_TEXTS = {  # our name -> the element's, and the element it must stand in
    "eventID": ("eventID", ""),
    "sequenceNumber": ("sequenceNumber", ""),
    "targetId": ("targetId", ""),
    "callId": ("callId", ""),
    "extTrackingId": ("extTrackingId", ""),
    "externalTrackingId": ("externalTrackingId", ""),
    "personality": ("personality", ""),
    "callType": ("callType", ""),
    "addressOfRecord": ("addressOfRecord", ""),
    "startTime": ("startTime", ""),
    "answerTime": ("answerTime", ""),
    "releaseTime": ("releaseTime", ""),
    "redirected": ("address", "redirections"),
    "remote": ("address", "remoteParty"),
    "remoteAddress": ("remoteAddress", ""),
}


def parse(request: CallRequest, secrets: Mapping[str, str], now: datetime, zone: tzinfo) -> tuple[CallEvent, ...]:
    """Returns the one event of a message; the end of a subscription, say, tells nothing of a call."""
    refuse_oversized(request)
    root = _root(text_of(request))
    kind = _KINDS.get(_event_type(root))
    if kind is None:
        return ()
    return (_told({**_texts(root), "did": request.query.get("did")}, kind, now, zone),)


def _root(text: str) -> Element:
    if "<!" in text.replace("<![CDATA[", "").replace("<!--", ""):
        raise Unreadable("The body must be XML without a document type.")  # entities are how XML attacks
    parser = XMLParser()  # noqa: S314
    try:
        parser.feed(text)
        root = parser.close()
    except (ParseError, ValueError):
        raise Unreadable("The body must be XML.") from None
    if _local(root.tag) != "Event":
        raise Unreadable("The body must be an XSI Event.")
    return root


def _local(name: str) -> str:
    return name.rpartition("}")[2].rpartition(":")[2]


def _event_type(root: Element) -> str:
    """The type of eventData, whatever prefix its attribute and its value carry."""
    for element in root.iter():
        if _local(element.tag) == "eventData":
            return next((_local(told) for name, told in element.attrib.items() if _local(name) == "type"), "")
    return ""


def _texts(root: Element) -> dict[str, object]:
    found: dict[str, object] = {}
    for path, element in _walk(root):
        for ours, (name, inside) in _TEXTS.items():
            if path[-1] == name and (not inside or inside in path) and ours not in found:
                found[ours] = (element.text or "").strip()
    return found


def _walk(root: Element) -> Iterator[tuple[tuple[str, ...], Element]]:
    waiting: list[tuple[tuple[str, ...], Element]] = [((), root)]
    while waiting:
        above, element = waiting.pop()
        path = (*above[-3:], _local(element.tag))  # nothing we read lies deeper inside what it belongs to
        yield path, element
        waiting.extend((path, child) for child in reversed(element))


def _told(fields: Fields, kind: CallEventKind, now: datetime, zone: tzinfo) -> CallEvent:
    call_id, leg_id = name_of(fields, "extTrackingId", "externalTrackingId", "callId"), words(fields, "callId")
    began, answered, released = (moment(fields, zone, now, f"{one}Time") for one in ("start", "answer", "release"))
    picked_up, ended = kind is CallEventKind.ANSWERED, kind is CallEventKind.ENDED
    at = released if ended else answered if picked_up else began if kind is CallEventKind.RINGING else None
    direction, other = _direction(fields), first(fields, "remote", "remoteAddress")
    mark = first(fields, "eventID")
    return CallEvent(
        kind=kind,
        provider_call_id=call_id,
        provider_leg_id=leg_id,
        dedupe_key=dedupe_key(kind, call_id, leg_id, None if mark else at, None, mark or ""),
        seq=code(fields, "sequenceNumber"),
        occurred_at=at or now,
        direction=direction,
        did=_dialled(fields),
        caller=to_e164(other),
        caller_anonymous=direction is Direction.INBOUND and is_anonymous(other),
        operator=_user(first(fields, "targetId")),
        started_at=began,
        answered_at=answered or (now if picked_up else None),
        ended_at=(at or now) if ended else None,
        status=(CallStatus.ANSWERED if answered else CallStatus.MISSED) if ended else CallStatus.UNKNOWN,
        human=picked_up,
    )


def _direction(fields: Fields) -> Direction:
    if words(fields, "callType") == "Group":
        return Direction.INTERNAL
    return _DIRECTIONS.get(words(fields, "personality") or "", Direction.UNKNOWN)


def _dialled(fields: Fields) -> str | None:
    """The number the subscription's own address names (?did=), else the redirecting one, else the subscriber's."""
    lines = (words(fields, name) for name in ("did", "redirected", "targetId", "addressOfRecord"))
    return next((found for one in lines if one and (found := to_e164(_user(one)))), None)


def _user(address: str | None) -> str | None:
    return address.partition("@")[0] if address else None


def example(secrets: Mapping[str, str], now: datetime) -> CallRequest:
    """Returns the release of an answered call that ended at ``now``."""
    started, answered, ended = (int((now - timedelta(seconds=ago)).timestamp() * 1000) for ago in (70, 62, 0))
    call = (
        f"<xsi:callId>example-{ended}</xsi:callId><xsi:extTrackingId>example-{ended}</xsi:extTrackingId>"
        "<xsi:personality>Terminator</xsi:personality><xsi:state>Released</xsi:state>"
        "<xsi:remoteParty><xsi:address>tel:+79161234567</xsi:address></xsi:remoteParty>"
        f"<xsi:startTime>{started}</xsi:startTime><xsi:answerTime>{answered}</xsi:answerTime>"
        f"<xsi:releaseTime>{ended}</xsi:releaseTime>"
    )
    body = (
        '<xsi:Event xmlns:xsi="http://schema.broadsoft.com/xsi"><xsi:targetId>4951112233@mpbx.example</xsi:targetId>'
        f'<xsi:eventData xsi:type="xsi:CallReleasedEvent"><xsi:call>{call}</xsi:call></xsi:eventData></xsi:Event>'
    )
    return CallRequest("POST", "/", {"content-type": "application/xml"}, {}, body.encode())


BEELINE = Adapter("beeline", parse, (), example)
