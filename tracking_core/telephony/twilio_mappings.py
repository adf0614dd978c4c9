"""Twilio's words in ours (telephony sheet, sections 4 and 10)."""

from tracking_core.call_event import CallEventKind, CallStatus, Direction

STATE_KINDS = {
    "queued": CallEventKind.UPDATED,
    "initiated": CallEventKind.UPDATED,
    "ringing": CallEventKind.RINGING,
    "in-progress": CallEventKind.ANSWERED,
    "completed": CallEventKind.ENDED,
    "busy": CallEventKind.ENDED,
    "no-answer": CallEventKind.ENDED,
    "canceled": CallEventKind.ENDED,
    "failed": CallEventKind.ENDED,
}
LOST = {
    "busy": CallStatus.BUSY,
    "no-answer": CallStatus.MISSED,
    "canceled": CallStatus.CANCELLED,
    "failed": CallStatus.FAILED,
}
DIAL_RESULTS = {**LOST, "completed": CallStatus.ANSWERED, "answered": CallStatus.ANSWERED}
DIRECTIONS = {  # outbound-dial is a leg of somebody else's call
    "inbound": Direction.INBOUND,
    "outbound": Direction.OUTBOUND,
    "outbound-api": Direction.OUTBOUND,
}
