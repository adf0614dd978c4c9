"""Their words -> ours, and ours -> theirs: tables only (sheet sections in brackets)."""

import re
from collections.abc import Mapping
from typing import Literal

from connectors.protocol import Why
from connectors.scenario import Trigger

SERVICE = "CallTracking Hub"

# The account hosts a consent may send us to; anything else would receive our secret [1.2].
ACCOUNT_HOST = re.compile(r"[a-z0-9-]+\.(?:amocrm\.ru|amocrm\.com|kommo\.com)")
MOVED_SUFFIXES: Mapping[str, str] = {".amocrm.com": ".kommo.com"}  # old hosts that only redirect [9]

# Our own field of a deal: the marker of the delivery that created it [6].
MARKER_CODE = "HUB_CALL_ID"
MARKER_FIELD: Mapping[str, object] = {
    "type": "text",
    "name": "ID звонка (hub)",
    "code": MARKER_CODE,
    "sort": 600,
    "is_api_only": True,
}

# Source of an enquiry -> code of the tracking field [3.10]. Codes are stable, ids differ per account.
TRACKING: Mapping[str, str] = {
    "utm_source": "UTM_SOURCE",
    "utm_medium": "UTM_MEDIUM",
    "utm_campaign": "UTM_CAMPAIGN",
    "utm_content": "UTM_CONTENT",
    "utm_term": "UTM_TERM",
    "utm_referrer": "UTM_REFERRER",
    "referrer": "REFERRER",
    "from": "FROM",
    "gclientid": "GCLIENTID",
    "gclid": "GCLID",
    "yclid": "YCLID",
    "fbclid": "FBCLID",
    "_ym_uid": "_YM_UID",
    "_ym_counter": "_YM_COUNTER",
    "openstat_service": "OPENSTAT_SERVICE",
    "openstat_campaign": "OPENSTAT_CAMPAIGN",
    "openstat_ad": "OPENSTAT_AD",
    "openstat_source": "OPENSTAT_SOURCE",
}
TEXT_FIELD_TYPES = frozenset(  # fields whose value is written as {"value": "text"} [3.10]
    {
        "text",
        "textarea",
        "url",
        "tracking_data",
        "streetaddress",
        "price",
        "numeric",
        "monetary",
        "select",
        "radiobutton",
        "category",
    }
)
FIELD_CAP = 255  # characters of one value; the real limit is not documented [3.10]
NOTE_CAP = 16_000  # characters; the real limit is not documented, 16,000 Cyrillic letters stay below 64 kB
NAME_CAP = 255
MOST_FIELD_VALUES = 40  # per deal in leads/complex [2]

CALL_NOTE = "call_in"
CALL_NOTES = ("call_in", "call_out")
TEXT_NOTE = "extended_service_message"
TEXT_NOTES = ("extended_service_message", "service_message", "common")

# What happened -> call_status and call_result [3.13].
CALL_STATUS: Mapping[Trigger, tuple[int, str]] = {
    Trigger.ANSWERED: (4, "Разговор состоялся"),
    Trigger.MISSED: (6, "Нет ответа"),
}

FOLLOW_UP = 1  # task type "Связаться", present in every account [3.2]

STAGE_OUTCOME: Mapping[int, Literal["open", "won", "lost"]] = {
    142: "won",
    143: "lost",
}  # in every pipeline [3.4]
UNSORTED_STAGE = 1  # type of the system's first stage [3.4]

# Events that change a deal's money, stage or existence [3.17].
DEAL_EVENTS = (
    "lead_added",
    "lead_deleted",
    "lead_restored",
    "lead_status_changed",
    "sale_field_changed",
    "entity_merged",
)

# Error codes inside `detail` of a 400 or 403 that speak of the account, not of one item [5.4].
LEGACY_CODES: Mapping[str, Why] = {
    "101": Why.UNAVAILABLE,
    "110": Why.UNAUTHORIZED,
    "111": Why.UNAUTHORIZED,
    "112": Why.UNAUTHORIZED,
    "113": Why.FORBIDDEN,
    "244": Why.FORBIDDEN,
    "288": Why.FORBIDDEN,
}
LEGACY_CODE = re.compile(r"(?<!\d)(\d{3})(?!\d)")

# Last part of an error's path -> what the admin should look at [5.3].
PATH_WORDS: Mapping[str, str] = {
    "status_id": "the stage does not exist in this pipeline",
    "pipeline_id": "the pipeline does not exist",
    "responsible_user_id": "the responsible user does not exist or is not active",
    "created_by": "the responsible user does not exist or is not active",
    "entity_id": "the deal does not exist any more",
    "custom_fields_values": "a field or its value is not accepted",
    "tags_to_add": "a tag is not accepted",
    "contacts": "the contact is not accepted",
}
