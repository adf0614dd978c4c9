from urllib.parse import urlencode

import pytest

from connectors.bitrix24 import connector
from connectors.protocol import CallEnded, Changed, HookRequest, Installed, Rejected, Uninstalled
from tests.connectors.bitrix24.conftest import ACCOUNT, HOST, NOW

FORM = {"content-type": "application/x-www-form-urlencoded"}
SECRETS = {ACCOUNT: "51" * 16}
EVENT = {
    "event": "ONCRMDEALUPDATE",
    "event_handler_id": "185",
    "data[FIELDS][ID]": "342",
    "ts": "1780000000",
    "auth[domain]": HOST,
    "auth[member_id]": ACCOUNT,
    "auth[application_token]": "51" * 16,
}
INSTALLED = {"event": "ONAPPINSTALL", "auth[refresh_token]": "r1", "auth[domain]": HOST, "auth[member_id]": ACCOUNT}
OPENED = {
    "AUTH_ID": "a1",
    "AUTH_EXPIRES": "3600",
    "REFRESH_ID": "r1",
    "member_id": ACCOUNT,
    "status": "L",
    "PLACEMENT": "DEFAULT",
}


def post(fields, query=None, headers=FORM):
    return HookRequest("POST", "/hooks/bitrix24/x", query or {}, headers, urlencode(fields).encode())


def get(**query):
    return HookRequest("GET", "/oauth/bitrix24/callback", query, {}, b"")


def parse(request, app, secrets=SECRETS):
    return connector.hooks.parse(request, app, secrets)


# -- consent


def test_a_redirect_brings_a_code(app):
    found = parse(get(code="c", state="s", domain=HOST, member_id=ACCOUNT, scope="crm"), app)
    assert found == Installed("c", HOST, "s")


@pytest.mark.parametrize(
    "changed",
    [
        {"code": ""},
        {"code": "x" * 5_000},
        {"code": "refresh_token:r"},
        {"domain": "evil.example"},
        {"state": ""},
        {"error": "access_denied"},
    ],
)
def test_a_redirect_that_is_none_is_rejected(app, changed):
    whole = {"code": "c", "state": "s", "domain": HOST}
    assert isinstance(parse(get(**{**whole, **changed}), app), Rejected)


# -- installation


def test_a_page_that_a_browser_opens_is_none_of_these(app):
    assert isinstance(parse(post(OPENED, {"DOMAIN": HOST}), app), Rejected)


@pytest.mark.parametrize(
    "changed",
    [
        {"auth[refresh_token]": ""},
        {"auth[member_id]": ""},
        {"auth[member_id]": "a b"},
        {"auth[refresh_token]": "r" * 5_000},
        {"auth[domain]": "evil.example"},
    ],
)
def test_an_installation_without_tokens_or_portal_is_rejected(app, changed):
    assert isinstance(parse(post({**INSTALLED, **changed}), app), Rejected)


def test_an_installation_told_by_the_server_brings_tokens(app):
    assert parse(post(INSTALLED), app) == Installed("refresh_token:r1", HOST, None)


def test_tokens_stay_out_of_texts(app):
    found = parse(post(INSTALLED), app)
    assert "r1" not in repr(found)


# -- events


@pytest.mark.parametrize(
    "name", ["ONCRMDEALUPDATE", "oncrmdealdelete", "ONCRMLEADADD", "ONAPPUPDATE", "ONAPPTEST", "ONSOMETHINGNEW"]
)
def test_an_event_with_our_token_rings(app, name):
    assert parse(post({**EVENT, "event": name}), app) == Changed(ACCOUNT)


def test_the_end_of_a_call_of_whatever_telephony_is_told_as_one(app):
    assert parse(post({**EVENT, "event": "ONVOXIMPLANTCALLEND"}), app) == CallEnded(ACCOUNT)


def test_an_event_with_another_token_is_rejected(app):
    assert isinstance(parse(post({**EVENT, "auth[application_token]": "52" * 16}), app), Rejected)


def test_an_event_without_a_token_is_rejected_where_one_is_known(app):
    fields = {key: value for key, value in EVENT.items() if key != "auth[application_token]"}
    assert isinstance(parse(post(fields), app), Rejected)


def test_where_no_token_is_known_the_secret_of_the_path_vouches(app):
    assert parse(post(EVENT), app, {}) == Changed(ACCOUNT)


def test_a_removal_with_our_token_is_one(app):
    fields = {**EVENT, "event": "ONAPPUNINSTALL", "data[CLEAN]": "1"}
    assert parse(post(fields), app) == Uninstalled(ACCOUNT)


def test_a_removal_that_nobody_vouches_for_only_rings(app):
    assert parse(post({**EVENT, "event": "ONAPPUNINSTALL"}), app, {}) == Changed(ACCOUNT)


@pytest.mark.parametrize("account", ["", "../..", "x" * 65, "<b>"])
def test_an_event_of_no_portal_is_rejected(app, account):
    assert isinstance(parse(post({**EVENT, "auth[member_id]": account}), app, {}), Rejected)


# -- anything


@pytest.mark.parametrize(
    "request_",
    [
        HookRequest("PUT", "/", {}, {}, b""),
        HookRequest("POST", "/", {}, {"content-type": "application/json"}, b"{}"),
        HookRequest("POST", "/", {}, FORM, b"a" * (1024 * 1024 + 1)),
        HookRequest("POST", "/", {}, FORM, b"&".join(b"a=1" for _ in range(5_001))),
        HookRequest("POST", "/", {}, FORM, b""),
        HookRequest("POST", "/", {}, FORM, b"\xff\xfe=\x00"),
        HookRequest("POST", "/", {}, FORM, b"event=hello"),
        HookRequest("GET", "/", {}, {}, b""),
    ],
    ids=["method", "type", "size", "fields", "empty", "bytes", "no event", "nothing"],
)
def test_whatever_else_is_sent_is_rejected_with_a_sentence(app, request_):
    found = parse(request_, app)
    assert isinstance(found, Rejected)
    assert found.sentence.endswith(".")


# -- pages


def test_no_page_of_a_portal_asks_us_from_outside_our_frame(app):
    assert not connector.hooks.may_embed(app, f"https://{HOST}")


def test_a_page_without_a_ticket_is_rejected(app):
    assert isinstance(connector.hooks.opened(post({}), app, NOW), Rejected)
