"""The named switches of the sandbox Bitrix24: each fact the sheet leaves open (section 10), and the portal's state."""

from collections.abc import Callable, Mapping

from sandbox.dial import Knob, boolean, choice, number, pattern, text


def seconds_by_method(value: object) -> dict[str, float]:
    """Accepts an object: method name in lower case -> seconds."""
    if not isinstance(value, Mapping):
        raise ValueError("an object: method -> seconds")
    check: Callable[[object], float] = number(0)
    return {str(name).lower(): check(one) for name, one in value.items()}


SHARE = number(0, 1)
SWITCHES = (
    # Tokens and installation (sheet section 1).
    Knob("access_ttl", 3600, number(1), "Seconds an access token lives."),
    Knob("refresh_ttl", 15_552_000, number(1), "Seconds a refresh token lives (180 days)."),
    Knob("code_ttl", 30, number(1), "Seconds an authorization code lives."),
    Knob(
        "refresh_chain",
        "strict",
        choice("strict", "grace"),
        "What a refresh does to the old pair: ends it at once, or lets it live 60 s (U7).",
    ),
    Knob(
        "replaced_token_error",
        "expired_token",
        choice("expired_token", "invalid_token"),
        "What the access token of a refreshed pair is told.",
    ),
    Knob("most_chains", 0, number(0), "Token chains of one user; one more ends the oldest; 0 for no limit (U8)."),
    Knob("reinstall_token", "new", choice("new", "same"), "application_token after a reinstallation (U11)."),
    Knob(
        "oauth_uninstalled",
        "NOT_INSTALLED",
        choice("NOT_INSTALLED", "invalid_client"),
        "Error of the token endpoint where the app is not installed.",
    ),
    Knob("payment_required_status", 401, choice(401, 403), "Status of PAYMENT_REQUIRED at the token endpoint (U23)."),
    Knob(
        "app_info",
        "both",
        choice("both", "portal", "auth"),
        "Whose `app.info` answers on the one port: keys of portal and auth server together, or one's own.",
    ),
    Knob(
        "app_info_expires",
        "number",
        choice("number", "text"),
        "`expires` of the auth server's `app.info`: epoch seconds, or the ISO text the official Python SDK reads.",
    ),
    Knob("signed_in_user", 1, number(0), "Whose browser opens `/oauth/authorize/`; 0: nobody's, an error page."),
    Knob("frame_application_token", True, boolean, "Whether iframe POSTs carry APPLICATION_TOKEN."),
    Knob(
        "onappinstall",
        "once",
        choice("once", "never", "late", "twice"),
        "How often ONAPPINSTALL reaches the callback of an app with a page.",
    ),
    Knob("onappinstall_delay", 60, number(0), "Seconds of the clock a late ONAPPINSTALL takes."),
    Knob(
        "update_keeps",
        "placements",
        choice("placements", "nothing", "all"),
        "Which bindings of the app outlive its update (U21).",
    ),
    Knob("update_unfinishes", False, boolean, "Whether an update of an app with an installer must be finished again."),
    Knob("scope_change", "on_open", choice("on_open", "at_once"), "When an update's new scopes are granted (U20)."),
    # The portal's state.
    Knob("plan", "commercial", choice("commercial", "free"), "`free`: 403 ACCESS_DENIED to all REST."),
    Knob("license", "basic", choice("basic", "ent250"), "The licence, which decides the request limit."),
    Knob("portal_deleted", False, boolean, "Whether the portal was deleted."),
    Knob("https_required", False, boolean, "Whether webhooks over http are refused (400 INVALID_REQUEST)."),
    Knob("missing_methods", "", pattern, "Methods this portal does not have (an on-premise portal lacks some)."),
    Knob("crm_mode", 1, choice(1, 2), "1: classic, with leads; 2: simple, each new lead becomes a deal at once."),
    Knob("utc_offset", 180, number(-720, 840), "The server's time zone, minutes ahead of UTC."),
    # Limits and batch (section 2).
    Knob("burst", 0, number(0), "Requests an address may have in its bucket; 0: as the licence says (50 or 250)."),
    Knob("leak", 0, number(0), "Requests a second that leave the bucket; 0: as the licence says (2 or 5)."),
    Knob("failed_requests_count", True, boolean, "Whether a request that ends in an error stays in the bucket (U25)."),
    Knob("retry_after", 0, number(0), "Retry-After of 503 and 429, seconds; 0 sends none (U18)."),
    Knob("operating_limit", 480, number(0), "Seconds of one method per app in 10 minutes (U6)."),
    Knob("operating_limits", {}, seconds_by_method, "Other limits for single methods."),
    Knob("operating_cost", 0.1, number(0), "Seconds a method is said to take."),
    Knob("operating_costs", {}, seconds_by_method, "Other seconds for single methods."),
    Knob(
        "operating_in_batch",
        "nested",
        choice("nested", "batch"),
        "Whom the time of a batch is charged to: each nested method, or `batch` (U5).",
    ),
    Knob("time_operating", True, boolean, "Whether `time` tells `operating` and `operating_reset_at`."),
    Knob("batch_time_operating", False, boolean, "Whether the times inside a batch reply tell them too."),
    Knob(
        "unresolved_reference",
        "empty",
        choice("empty", "literal"),
        "What `$result[...]` of nothing becomes: an empty text, or it stays as written (U19).",
    ),
    # Conventions and errors (section 3).
    Knob("auth_error_status", 401, choice(401, 403), "Status of INVALID_CREDENTIALS and insufficient_scope (U1)."),
    Knob("deleted_status", 410, choice(410, 500), "Status of PORTAL_DELETED (U2)."),
    Knob("unknown_method_status", 404, choice(404, 400), "Status of ERROR_METHOD_NOT_FOUND (U3)."),
    Knob("placement_error_status", 400, choice(400, 200), "Status of the errors of `placement.*` (U4)."),
    Knob("odd_start", "round_down", choice("round_down", "exact"), "What a `start` between two pages means."),
    Knob("no_count_total", "absent", choice("absent", "zero"), "`total` of a list asked with `start=-1`."),
    Knob("upper_id_order", False, boolean, "Whether `crm.item.list` takes the upper-case `ID` in `order`."),
    Knob("html_error_status", 502, choice(403, 500, 502, 504), "Status of the page of an `html_error`."),
    # CRM (section 4).
    Knob("phone_match", "digits", choice("digits", "exact", "last10"), "How `findbycomm` compares phones (U13)."),
    Knob("findbycomm_order", "oldest", choice("oldest", "newest"), "Order of ids in a list of `findbycomm`."),
    Knob("filter_by_origin", True, boolean, "Whether originId, originatorId and xmlId may be filtered by (U17)."),
    Knob("fm_type_required", True, boolean, "Whether a change of `fm` without typeId is silently dropped."),
    Knob("noop_update_event", False, boolean, "Whether an update that changes nothing fires an event."),
    Knob("closing_sets_closedate", True, boolean, "Whether closing a deal sets its closedate to the day."),
    Knob("converted_leads_readable", True, boolean, "Whether a lead stays after its conversion in simple mode (U15)."),
    Knob("uf_letters_camel", True, boolean, "Whether UF_CRM_CALLHUB_ID is ufCrmCallhubId, not ufCrm_CALLHUB_ID (U26)."),
    Knob("merge_survivor", "last", choice("last", "first"), "Which of `entityIds` a merge keeps."),
    Knob("merge_conflicts", False, boolean, "Whether mergeBatch says CONFLICT and merges nothing."),
    Knob("merge_fires_delete", False, boolean, "Whether the object a merge takes away fires its DELETE event."),
    Knob(
        "userfield_exists_text",
        "The field already exists.",
        text,
        "Text of ERROR_CORE for a user field that is there already (U14).",
    ),
    # Telephony (section 5).
    Knob(
        "call_creates",
        "by_mode",
        choice("by_mode", "lead", "contact_deal"),
        "What CRM_CREATE makes of an unknown number; by mode: a lead, or contact and deal (U16).",
    ),
    Knob("call_activity_origin", True, boolean, "Whether call activities carry ORIGIN_ID `VI_...` (U22)."),
    Knob("finish_error_code", "ERROR_CORE", choice("ERROR_CORE", ""), "Code of a second `finish`."),
    # Events (section 6).
    Knob("event_timeout", 5, number(0), "Real seconds a handler has to answer (U9)."),
    Knob("event_delay", 0, number(0), "Seconds of the clock an event waits in the queue."),
    Knob("slow_handler_penalty", 0, number(0), "Seconds of the clock the next event waits whose handler was too slow."),
    Knob("lost_event", 0, SHARE, "Share of events never sent."),
    Knob("duplicate_event", 0, SHARE, "Share of events sent twice (U10)."),
    Knob("shuffled_event", 0, SHARE, "Share of events held until after the next one (U10)."),
    Knob("event_refresh_token", False, boolean, "Whether an event with a person behind it carries a refresh token."),
    Knob("most_handlers", 0, number(0), "Handlers of one event; 0 for no limit (U24)."),
    Knob(
        "handler_bound_text",
        "Unable to set event handler: Handler already binded",
        text,
        "Text of ERROR_CORE for a second `event.bind` of the same (U14).",
    ),
    Knob("offline_extended", True, boolean, "Feature rest_offline_extended: offline events may be reserved."),
    Knob("auth_connector", True, boolean, "Feature rest_auth_connector: own changes can be kept out."),
)
