"""Their words -> ours, and ours -> theirs: tables only (sheet sections in brackets)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from connectors.known import LEADS as LEADS
from connectors.protocol import Why
from connectors.scenario import Telephony, Trigger
from connectors.telling import Said
from tracking_core.enquiry import EnquiryKind

SERVICE = "CallTracking Hub"

# Where portals live; the sheet names the first two, the others are the vendor's other regions [1.1].
PORTALS = (
    "bitrix24.com",
    "bitrix24.ru",
    "bitrix24.by",
    "bitrix24.kz",
    "bitrix24.uz",
    "bitrix24.eu",
    "bitrix24.de",
    "bitrix24.fr",
    "bitrix24.es",
    "bitrix24.it",
    "bitrix24.pl",
    "bitrix24.in",
    "bitrix24.uk",
    "bitrix24.com.br",
    "bitrix24.com.tr",
    "bitrix24.mx",
    "bitrix24.co",
    "bitrix24.id",
    "bitrix24.vn",
    "bitrix24.jp",
    "bitrix24.cn",
)
WEST, EAST = "oauth.bitrix.info", "oauth.bitrix24.tech"  # authorisation servers [0]
EAST_PORTALS = (".bitrix24.ru", ".bitrix24.by", ".bitrix24.kz", ".bitrix24.uz")
HOSTS = (*PORTALS, WEST, EAST)

# Kinds of cards [4.1], and what a card of each is called elsewhere.
LEAD, DEAL, CONTACT, COMPANY, INVOICE = 1, 2, 3, 4, 31
TIMELINE: Mapping[int, str] = {LEAD: "lead", DEAL: "deal", CONTACT: "contact", COMPANY: "company"}

# Our key of a card: who made it, and which delivery it was made of [4.12].
ORIGINATOR = "calltracking_hub"

LEADS_NAME = ("Лиды", "Leads")  # in a portal that speaks Russian, elsewhere
CLASSIC, SIMPLE = "classic", "simple"  # traits: an account with leads, and one without [4.6]
LANGUAGE = "language:"  # a trait: the portal's own, such as ru

# Our own fields of deals and leads: the name after UF_CRM_ -> (label in Russian, in English, type) [4.8].
OWN_FIELDS: Mapping[str, tuple[str, str, str]] = {
    "HUB_SOURCE": ("Источник обращения", "Source of the enquiry", "string"),
    "HUB_CAMPAIGN": ("Кампания", "Campaign", "string"),
    "HUB_KEYWORD": ("Ключевая фраза", "Keyword", "string"),
    "HUB_LANDING": ("Посадочная страница", "Landing page", "url"),
    "HUB_NUMBER": ("Номер, на который звонили", "Number that was dialled", "string"),
    "HUB_CONFIDENCE": ("Уверенность в источнике", "Confidence in the source", "string"),
    "HUB_SCENARIO": ("Версия сценария", "Version of the scenario", "string"),
}
USER_FIELD = "UF_CRM_"

# Source of an enquiry -> standard field [4.3].
UTM: Mapping[str, str] = {
    "utm_source": "utmSource",
    "utm_medium": "utmMedium",
    "utm_campaign": "utmCampaign",
    "utm_content": "utmContent",
    "utm_term": "utmTerm",
}
# How a person turned to us -> STATUS_ID of the reference SOURCE [4.5]; written only where the account has it.
SOURCE_OF: Mapping[EnquiryKind, str] = {
    EnquiryKind.CALL: "CALL",
    EnquiryKind.FORM: "WEBFORM",
    EnquiryKind.CALLBACK: "CALLBACK",
    EnquiryKind.CHAT: "WEB",
    EnquiryKind.MAIL: "EMAIL",
}
HAS_SOURCE = "source:"  # a trait: the account's reference SOURCE has this STATUS_ID

# Methods that a portal on a server of its own may not have [1.10] -> what is said of what is off without them.
OPTIONAL: Mapping[str, Said] = {
    "telephony.externalCall.register": Said("lacks_telephony"),
    "crm.item.payment.list": Said("lacks_payments"),
    "crm.stagehistory.list": Said("lacks_history"),
    "crm.activity.todo.add": Said("lacks_todos"),
    "event.bind": Said("lacks_events"),
    "placement.bind": Said("lacks_tabs"),
}
OF_APP = frozenset({"telephony.externalCall.register", "event.bind", "placement.bind"})  # refused to a webhook [1.1]
LACKS = "lacks:"  # a trait: the portal does not have this method

TEXT_TYPES = frozenset({"string", "text", "url", "address", "money", "integer", "double", "date", "datetime"})
FIELD_CAP = 255  # characters of one value; the real limit is not documented
NAME_CAP = 255
NOTE_CAP = 16_000  # characters; the real limit is not documented
TITLE_CAP = 120

# The method without which a call cannot stand so beside the portal's own [5.1, 5.6].
TELEPHONY: Mapping[Telephony, str] = {
    Telephony.REGISTER: "telephony.externalCall.register",
    Telephony.OBSERVE: "voximplant.statistic.get",
}
TRACE = "crm.tracking.trace.add"  # tells the portal's own analytics of a visit [4.9]
INCOMING, REDIRECTED = 2, 3  # TYPE of a call in telephony [5.1]
CARD_CALL = "hub-card-"  # begins our id of a call that only shows its card
OUR_CALLS = ("hub:", CARD_CALL)  # begin EXTERNAL_CALL_ID of calls that we registered: a delivery's mark, a card
ANSWERED, MISSED = "200", "304"  # STATUS_CODE of a call that is over [5.3]
CALL_TYPE, INCOMING_CALL = 2, 1  # TYPE_ID of a call among activities, DIRECTION [4.10]
CALL_SUBJECT: Mapping[Trigger, tuple[str, str]] = {
    Trigger.ENDED: ("Входящий звонок", "Incoming call"),
    Trigger.MISSED: ("Пропущенный звонок", "Missed call"),
    Trigger.MISSED_AFTER_HOURS: ("Пропущенный звонок", "Missed call"),
}

SEMANTICS: Mapping[str, Literal["open", "won", "lost"]] = {"S": "won", "F": "lost"}
# Stages of leads and deals in the reference of statuses [4.5].
LEAD_STAGES, DEAL_STAGES, INVOICE_STAGES = "STATUS", "DEAL_STAGE", "SMART_INVOICE_STAGE_"

CARD_EVENTS = ("ONCRMDEALADD", "ONCRMDEALUPDATE", "ONCRMDEALDELETE", "ONCRMDEALMOVETOCATEGORY")  # [6.4]
LEAD_EVENTS = ("ONCRMLEADADD", "ONCRMLEADUPDATE", "ONCRMLEADDELETE")
INVOICE_EVENTS = ("ONCRMDYNAMICITEMADD", "ONCRMDYNAMICITEMUPDATE", "ONCRMDYNAMICITEMDELETE")
CALL_ENDED = "ONVOXIMPLANTCALLEND"  # of whatever telephony [5.5]
APP_EVENTS = ("ONAPPUNINSTALL", "ONAPPUPDATE")
# Tabs of cards that show our page -> the kind of card [7.2].
CARD_TABS: Mapping[str, int] = {
    "CRM_DEAL_DETAIL_TAB": DEAL,
    "CRM_LEAD_DETAIL_TAB": LEAD,
    "CRM_CONTACT_DETAIL_TAB": CONTACT,
}
TAB_TITLES: Mapping[str, str] = {"ru": "Источник обращения", "en": "Source of the enquiry"}
LIBRARY = "https://api.bitrix24.com/api/v1/"  # what a page in a portal speaks to it with [7.5]
DELETIONS: Mapping[str, int] = {
    "ONCRMDEALDELETE": DEAL,
    "ONCRMLEADDELETE": LEAD,
    f"ONCRMDYNAMICITEMDELETE_{INVOICE}": INVOICE,
}

_HOLD = timedelta(minutes=5)
# Error codes that speak of the account, in lower case: whose fault, what is said, how long to stay away [1.6, 3.6].
CODES: Mapping[str, tuple[Why, Said, timedelta | None]] = {
    "expired_token": (Why.UNAUTHORIZED, Said("token_dead"), None),
    "invalid_token": (Why.UNAUTHORIZED, Said("token_dead"), None),
    "no_auth_found": (Why.UNAUTHORIZED, Said("token_dead"), None),
    "authorization_error": (Why.UNAUTHORIZED, Said("user_off"), None),
    "application_not_found": (Why.UNAUTHORIZED, Said("app_gone"), None),
    "not_installed": (Why.UNAUTHORIZED, Said("app_gone"), None),
    "error_oauth": (Why.UNAUTHORIZED, Said("app_gone"), None),
    "payment_required": (Why.FORBIDDEN, Said("unpaid"), None),
    "invalid_credentials": (Why.FORBIDDEN, Said("no_rights"), None),
    "insufficient_scope": (Why.FORBIDDEN, Said("no_scope"), None),
    "invalid_scope": (Why.FORBIDDEN, Said("no_scope"), None),
    "user_access_error": (Why.FORBIDDEN, Said("user_kept_out"), None),
    "allowed_only_intranet_user": (Why.FORBIDDEN, Said("user_kept_out"), None),
    "access_error": (Why.FORBIDDEN, Said("no_rights"), None),
    "method_confirm_waiting": (Why.FORBIDDEN, Said("not_confirmed"), None),
    "method_confirm_denied": (Why.FORBIDDEN, Said("not_confirmed"), None),
    "wrong_auth_type": (Why.FORBIDDEN, Said("no_rights"), None),
    "portal_deleted": (Why.FORBIDDEN, Said("portal_gone"), None),
    "query_limit_exceeded": (Why.THROTTLED, Said("slow_down"), None),
    "operation_time_limit": (Why.THROTTLED, Said("too_much_time"), timedelta(minutes=1)),
    "overload_limit": (Why.THROTTLED, Said("overloaded"), _HOLD),
}
# The same code means the plan outside a batch, and a right inside of one [3.6].
ACCESS_DENIED = "access_denied"
# After these nothing is known of a creation [3.6].
UNSURE = frozenset({"internal_server_error", "error_unexpected_answer"})
NO_METHOD = "error_method_not_found"
NOT_THERE = frozenset({"not_found", "owner_not_found"})
OPERATING = "operation_time_limit"

# A field that a refusal names -> why a card was not created; the sentence names its value.
FIELD_SAID: Mapping[str, Said] = {
    "stageid": Said("stage_gone"),
    "categoryid": Said("pipeline_gone"),
    "assignedbyid": Said("responsible_gone"),
}
REFUSED: Mapping[str, Said] = {  # by the kind of what was not done
    "contact": Said("contact_refused"),
    "company": Said("company_refused"),
    "deal": Said("deal_refused"),
    "note": Said("note_refused"),
    "task": Said("task_refused"),
    "move": Said("move_refused"),
    "close": Said("task_not_closed"),
}
