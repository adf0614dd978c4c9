"""UIS's words in ours: the names of its placeholders, its events and finish reasons (telephony sheet, section 2).

The customer writes the template, so one thing may come under our short name, under UIS's own, or nested as Novofon
has it.
"""

from tracking_core.call_event import CallEventKind, CallStatus, Direction

NESTED = ("contact_info", "employee_info", "call_info")

CALL = ("call_session_id",)
DIALLED = ("did", "virtual_phone_number", "numb")
CALLER = ("caller", "contact_phone_number", "numa")
MOMENT = ("ts", "notification_timestamp", "time", "notification_time")
STARTED = ("start", "start_time")
TALK = ("talk", "talk_time_duration")
WAIT = ("wait", "wait_time_duration")
TOTAL = ("total", "total_time_duration")
OPERATOR = ("employee", "employee_full_name", "ext", "extension_phone_number")
RECORDING = ("url", "file_link")
REASON = ("call_status", "finish_reason")
VISIT = ("visit_id",)

KINDS = {  # the literal the template gives as "event"; the last two are Novofon's own
    "ringing": CallEventKind.RINGING,
    "answered": CallEventKind.ANSWERED,
    "ended": CallEventKind.ENDED,
    "lost": CallEventKind.ENDED,
    "recorded": CallEventKind.RECORDED,
    "call_end": CallEventKind.ENDED,
    "record_call": CallEventKind.RECORDED,
}
DIRECTIONS = {"in": Direction.INBOUND, "out": Direction.OUTBOUND}

# How a call without a talk ended; whatever is not here was missed.
REASONS = {
    "operator_busy": CallStatus.BUSY,
    "subscriber_busy": CallStatus.BUSY,
    "numa_in_black_list": CallStatus.BLOCKED,
    "numa_in_spam_list": CallStatus.BLOCKED,
    "subscriber_disconnects": CallStatus.CANCELLED,
}
