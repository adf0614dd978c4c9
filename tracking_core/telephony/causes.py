"""Why a call ended without a talk, in the words of SIP, Q.850 and Asterisk (telephony sheet, section 10).

Several sources borrow these words; a word unheard of gives UNKNOWN, which the fold reads as missed.
"""

from tracking_core.call_event import CallStatus

_BY_SIP = {
    404: CallStatus.FAILED,
    408: CallStatus.MISSED,
    480: CallStatus.MISSED,
    484: CallStatus.FAILED,
    486: CallStatus.BUSY,
    487: CallStatus.CANCELLED,
    600: CallStatus.BUSY,
    603: CallStatus.BLOCKED,
}
_BY_Q850 = {
    1: CallStatus.FAILED,
    16: CallStatus.MISSED,
    17: CallStatus.BUSY,
    18: CallStatus.MISSED,
    19: CallStatus.MISSED,
    20: CallStatus.MISSED,
    21: CallStatus.BLOCKED,
    28: CallStatus.FAILED,
    31: CallStatus.MISSED,
    34: CallStatus.FAILED,
    38: CallStatus.FAILED,
    41: CallStatus.FAILED,
    42: CallStatus.FAILED,
}
_BY_DIAL = {
    "ANSWER": CallStatus.ANSWERED,
    "NOANSWER": CallStatus.MISSED,
    "BUSY": CallStatus.BUSY,
    "CANCEL": CallStatus.CANCELLED,
}


def by_sip(code: int | None) -> CallStatus:
    """Returns how a call ended that a SIP response refused."""
    if code is not None and 500 <= code < 600:
        return CallStatus.FAILED
    return _BY_SIP.get(code or 0, CallStatus.UNKNOWN)


def by_q850(code: int | None) -> CallStatus:
    """Returns how a call without an answer ended by its Q.850 cause."""
    return _BY_Q850.get(code or 0, CallStatus.UNKNOWN)


def by_dial(word: str | None) -> CallStatus:
    """Returns how a call ended by the DIALSTATUS of Asterisk, which Sipuni uses too; without one UNKNOWN."""
    return _BY_DIAL.get(word.upper(), CallStatus.FAILED) if word else CallStatus.UNKNOWN
