import hmac
from dataclasses import replace
from hashlib import sha256
from urllib.parse import urlencode

import pytest

from connectors.amocrm import connector
from connectors.protocol import App, Changed, HookRequest, Installed, Rejected, Uninstalled

APP = App("client-1", "client-s3cret", "https://hub.example/cb")
FORM = "application/x-www-form-urlencoded"
BACK = {"code": "c0de", "referer": "romashka.amocrm.ru", "state": "st4te", "client_id": "client-1", "platform": "1"}
SIGNATURE = hmac.new(b"client-s3cret", b"client-1|31000001", sha256).hexdigest()
GONE = {"client_uuid": "client-1", "account_id": "31000001", "signature": SIGNATURE}
HOOK = {
    "leads[status][0][id]": "21000001",
    "leads[status][0][status_id]": "142",
    "leads[status][0][old_status_id]": "45100002",
    "account[subdomain]": "romashka",
    "account[id]": "31000001",
    "account[_links][self]": "https://romashka.amocrm.ru",
}


def parse(method, query=None, body=b"", headers=None, app=APP):
    return connector.hooks.parse(HookRequest(method, "/x", query or {}, headers or {}, body), app, {})


def test_a_consent_comes_back_with_our_state():
    assert parse("GET", BACK) == Installed("c0de", "romashka.amocrm.ru", "st4te")


def test_a_marketplace_install_has_no_state():
    query = {**BACK, "from_widget": "1"}
    del query["state"]
    assert parse("GET", query) == Installed("c0de", "romashka.amocrm.ru", None)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"error": "access_denied"}, "The administrator declined the connection in amoCRM."),
        ({"code": ""}, "The redirect carries no authorization code."),
        ({"code": "x" * 5_000}, "The redirect carries no authorization code."),
        ({"referer": "evil.ru"}, "The redirect names a host that is not an amoCRM account."),
        ({"referer": ""}, "The redirect names a host that is not an amoCRM account."),
        ({"client_id": "client-2"}, "The redirect is for another integration."),
        ({"state": ""}, "The redirect carries no state: the connection was not started here."),
    ],
)
def test_a_redirect_that_is_not_ours_is_rejected(changed, sentence):
    assert parse("GET", {**BACK, **changed}) == Rejected(sentence)


def test_a_sandbox_may_be_named_as_the_account():
    sandboxed = replace(APP, base_url="http://127.0.0.1:8801")
    found = parse("GET", {**BACK, "referer": "127.0.0.1:8801"}, app=sandboxed)
    assert found == Installed("c0de", "127.0.0.1:8801", "st4te")


def test_a_signed_disable_hook_uninstalls():
    assert parse("GET", GONE) == Uninstalled("31000001")


def test_the_other_name_of_the_client_is_accepted():
    query = {**GONE, "client_id": "client-1"}
    del query["client_uuid"]
    assert parse("GET", query) == Uninstalled("31000001")


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": ""},
        {"signature": SIGNATURE[:-1] + ("0" if SIGNATURE[-1] != "0" else "1")},
        {"signature": "подпись"},
        {"signature": "\ud800"},
        {"account_id": "31000002"},
        {"account_id": ""},
        {"account_id": "31000001 "},
        {"client_uuid": "client-2"},
    ],
)
def test_a_forged_disable_hook_is_rejected(changed):
    assert isinstance(parse("GET", {**GONE, **changed}), Rejected)


def test_a_webhook_is_a_doorbell_of_its_account():
    found = parse("POST", body=urlencode(HOOK).encode(), headers={"Content-Type": f"{FORM}; charset=utf-8"})
    assert found == Changed("31000001")


def test_a_digital_pipeline_hook_names_the_account_its_own_way():
    body = urlencode({"event[data][id]": "1", "subdomain": "romashka", "account_id": "31000001"}).encode()
    assert parse("POST", body=body, headers={"content-type": FORM}) == Changed("31000001")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"account[id]=x", {"content-type": FORM}),
        (b"account[subdomain]=romashka", {"content-type": FORM}),
        (b"account[id]=" + b"1" * 30, {"content-type": FORM}),
        (b'{"account":{"id":1}}', {"content-type": "application/json"}),
        (b"\xff\xfe&=&;%zz", {"content-type": FORM}),
        (b"a=1&" * 30_000, {"content-type": FORM}),
        (b"a" * 1_100_000, {"content-type": FORM}),
    ],
)
def test_a_body_that_is_not_a_webhook_is_rejected(body, headers):
    found = parse("POST", body=body, headers=headers)
    assert isinstance(found, Rejected)
    assert found.sentence.endswith(".")


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "", "X" * 999])
def test_other_methods_are_rejected(method):
    assert isinstance(parse(method, BACK), Rejected)


def test_a_rejection_repeats_no_secret():
    assert "c0de" not in parse("GET", {**BACK, "referer": "evil.ru"}).sentence
