"""Mango's words in ours (telephony sheet, sections 1 and 10)."""

from collections.abc import Mapping

from tracking_core.call_event import CallEventKind, CallStatus, Direction

LEG_KINDS = {
    "Appeared": CallEventKind.RINGING,
    "Connected": CallEventKind.ANSWERED,
    "OnHold": CallEventKind.HELD,
    "Disconnected": CallEventKind.ENDED,
}
MACHINES = frozenset({"ivr", "queue"})  # section 1.1: the third location, abonent, is an employee
DIRECTIONS: Mapping[int | None, Direction] = {
    0: Direction.INTERNAL,
    1: Direction.INBOUND,
    2: Direction.OUTBOUND,
}

# Section 1.4, with the results of section 10; what is neither is a call nobody took.
REASONS = {
    1100: CallStatus.MISSED,
    1110: CallStatus.MISSED,
    1111: CallStatus.MISSED,
    1120: CallStatus.MISSED,
    1121: CallStatus.BUSY,
    1122: CallStatus.MISSED,
    1123: CallStatus.BUSY,
    1130: CallStatus.FAILED,
    1131: CallStatus.FAILED,
    1132: CallStatus.FAILED,
    1133: CallStatus.FAILED,
    1134: CallStatus.FAILED,
    1140: CallStatus.FAILED,
    1150: CallStatus.BLOCKED,
    1151: CallStatus.BLOCKED,
    1152: CallStatus.BLOCKED,
    1160: CallStatus.MISSED,
    1162: CallStatus.MISSED,
    1163: CallStatus.MISSED,
    1164: CallStatus.MISSED,
    1170: CallStatus.MISSED,
    1180: CallStatus.CANCELLED,
    1181: CallStatus.CANCELLED,
    1182: CallStatus.MISSED,
    1190: CallStatus.MISSED,
    1191: CallStatus.MISSED,
    1192: CallStatus.MISSED,
}
_FAILURES_FROM = 2000  # 2xxx billing, 3xxx request, 4xxx cannot do, 5xxx server
RECORDED_WELL = 1000


def result_of(reason: int | None) -> CallStatus:
    """Returns how a call without a talk ended, by its disconnect_reason (sections 1.4 and 10)."""
    if reason is not None and reason >= _FAILURES_FROM:
        return CallStatus.FAILED
    return REASONS.get(reason or 0, CallStatus.MISSED)
