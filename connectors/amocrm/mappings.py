"""Their words -> ours, and ours -> theirs: tables only (sheet sections in brackets)."""

import re
from collections.abc import Mapping
from typing import Literal

from connectors.protocol import Why
from connectors.scenario import Trigger
from connectors.telling import Said

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

# Our other fields of a deal, in a group of their own: a tab of the card that says where the enquiry came from [3.10].
GROUP_NAME = SERVICE
GROUP_SORT = 4
OWN_FIELDS: Mapping[str, tuple[str, str, str]] = {  # code -> (name on a card of amoCRM, of Kommo, type)
    "HUB_SOURCE": ("Источник обращения", "Source of the enquiry", "text"),
    "HUB_CAMPAIGN": ("Кампания", "Campaign", "text"),
    "HUB_KEYWORD": ("Ключевая фраза", "Keyword", "text"),
    "HUB_LANDING": ("Посадочная страница", "Landing page", "url"),
    "HUB_NUMBER": ("Номер, на который звонили", "Number that was dialled", "text"),
    "HUB_CONFIDENCE": ("Уверенность в источнике", "Confidence in the source", "text"),
    "HUB_SCENARIO": ("Версия сценария", "Version of the scenario", "text"),
}

# What webhooks are asked for: what changes a deal's money, stage or existence [4.1]. Contacts and people in charge are
# read before each batch anyway.
HOOK_EVENTS = ("add_lead", "update_lead", "status_lead", "delete_lead", "restore_lead")

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
    Trigger.ENDED: (4, "Разговор состоялся"),
    Trigger.MISSED: (6, "Нет ответа"),
    Trigger.MISSED_AFTER_HOURS: (6, "Нет ответа"),
}

FOLLOW_UP = 1  # task type "Связаться", present in every account [3.2]

STAGE_OUTCOME: Mapping[int, Literal["open", "won", "lost"]] = {
    142: "won",
    143: "lost",
}  # in every pipeline [3.4]
UNSORTED_STAGE = 1  # type of the system's first stage [3.4]

# Events that change a deal's money, stage or existence [3.17].
DEAL_DELETED, DEAL_RESTORED, STAGE_EVENT = "lead_deleted", "lead_restored", "lead_status_changed"
DEAL_EVENTS = ("lead_added", DEAL_DELETED, DEAL_RESTORED, STAGE_EVENT, "sale_field_changed", "entity_merged")
LINK_EVENTS = ("entity_linked", "entity_unlinked")
CARDS = frozenset({"lead", "contact", "company", "customer"})  # what is linked besides these may be an invoice [3.9]

# An invoice's fields, and the one status that is money: of a part paid nothing says how much it is [4.7].
BILL_STATUS, BILL_PRICE, BILL_PAYMENT_DATE = "BILL_STATUS", "BILL_PRICE", "BILL_PAYMENT_DATE"
BILL_PAID = "paid"

# Events after which a contact is no more what the list of contacts said, or is in it again [3.17].
DELETED, RESTORED, MERGED = CONTACT_EVENTS = ("contact_deleted", "contact_restored", "entity_merged")

# Error codes inside `detail` of a 400 or 403 that speak of the account, not of one item [5.4].
LEGACY_CODES: Mapping[str, tuple[Why, Said]] = {
    "101": (Why.UNAVAILABLE, Said("nobody_here")),
    "110": (Why.UNAUTHORIZED, Said("token_dead")),
    "111": (Why.UNAUTHORIZED, Said("token_dead")),
    "112": (Why.UNAUTHORIZED, Said("user_off")),
    "113": (Why.FORBIDDEN, Said("ip_list")),
    "244": (Why.FORBIDDEN, Said("no_rights")),
    "288": (Why.FORBIDDEN, Said("no_rights")),
}
LEGACY_CODE = re.compile(r"(?<!\d)(\d{3})(?!\d)")

# A word of an error's path -> why a creation was refused [5.3]; the first that a path has decides.
PATH_SAID: Mapping[str, Said] = {
    "contacts": Said("contact_refused"),
    "status_id": Said("stage_gone"),
    "pipeline_id": Said("pipeline_gone"),
    "responsible_user_id": Said("responsible_gone"),
    "created_by": Said("responsible_gone"),
    "entity_id": Said("card_gone"),
    "custom_fields_values": Said("value_refused"),
    "tags_to_add": Said("tag_refused"),
}
NAMED_PATHS = ("status_id", "pipeline_id", "responsible_user_id", "created_by")  # whose sentence names the id
REFUSED: Mapping[str, Said] = {  # by the step that was not done, or by the kind of what was not created
    "deal": Said("deal_refused"),
    "note": Said("note_refused"),
    "task": Said("task_refused"),
    "change": Said("change_refused"),
    "close": Said("task_not_closed"),
    "company": Said("company_not_linked"),
}
