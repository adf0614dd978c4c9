"""The token that amoCRM signs for our widget: who made it decides, not what it says of itself."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.amocrm import connector
from connectors.protocol import App, HookRequest, Opened, Rejected

SECRET = "client-s3cret-of-a-real-length"
APP = App("client-1", SECRET, "https://hub.example/oauth/amocrm/callback")
NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
AT = int(NOW.timestamp())
PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQ\n-----END PUBLIC KEY-----"
CLAIMS = {
    "iss": "https://romashka.amocrm.ru",
    "aud": "https://hub.example",
    "jti": "0f7c0000-0000-4000-8000-000000000001",
    "iat": AT,
    "nbf": AT,
    "exp": AT + 1800,
    "account_id": 31000001,
    "subdomain": "romashka",
    "user_id": 7100001,
    "is_admin": True,
    "client_uuid": "client-1",
}


def part(told):
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


def signed(claims, *, alg="HS256", key=SECRET, digest=hashlib.sha256):
    head = f"{part({'typ': 'JWT', 'alg': alg})}.{part(claims)}"
    mark = hmac.new(key.encode(), head.encode(), digest).digest()
    return f"{head}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


def opened(token, now=NOW, app=APP):
    return connector.hooks.opened(HookRequest("GET", "/x", {}, {"X-Auth-Token": token}, b""), app, now)


def test_a_token_says_who_looks_at_the_page():
    ends = NOW + timedelta(minutes=31)
    expected = Opened("31000001", "romashka.amocrm.ru", "7100001", True, CLAIMS["jti"], ends)
    assert opened(signed(CLAIMS)) == expected


def test_who_is_not_said_to_be_an_administrator_is_none():
    told = opened(signed({name: value for name, value in CLAIMS.items() if name != "is_admin"}))
    assert isinstance(told, Opened)
    assert told.is_admin is False


@pytest.mark.parametrize(
    "token",
    [
        "",
        "not.a.token",
        "a" * 5_000,
        f"{part({'alg': 'none'})}.{part(CLAIMS)}.",
        f"{part({'alg': 'None'})}.{part(CLAIMS)}.",
        signed(CLAIMS, alg="HS512", digest=hashlib.sha512),
        signed(CLAIMS, alg="HS512"),
        signed(CLAIMS, alg="RS256"),
        signed(CLAIMS, alg="RS256", key=PUBLIC_KEY),
        signed(CLAIMS, key=PUBLIC_KEY),
        signed(CLAIMS, key="another-s3cret"),
        signed(CLAIMS, key=""),
        signed(CLAIMS)[:-4] + "AAAA",
        signed([1, 2]),
    ],
    ids=lambda token: token[:20],
)
def test_a_token_that_amocrm_did_not_sign_is_refused(token):
    assert isinstance(opened(token), Rejected)


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("aud", "https://other.example"),
        ("aud", "https://hub.example.evil.example"),
        ("aud", ["https://hub.example"]),
        ("aud", None),
        ("iss", "https://evil.example"),
        ("iss", "http://romashka.amocrm.ru"),
        ("iss", "https://romashka.amocrm.ru.evil.example"),
        ("iss", "https://evil.example/romashka.amocrm.ru"),
        ("iss", "https://user@romashka.amocrm.ru"),
        ("iss", "https://lilia.amocrm.ru"),
        ("iss", "https://[romashka"),
        ("iss", 5),
        ("subdomain", "lilia"),
        ("client_uuid", "client-2"),
        ("client_uuid", None),
        ("account_id", None),
        ("account_id", True),
        ("account_id", "1; DROP"),
        ("user_id", None),
        ("jti", ""),
        ("jti", "x" * 101),
        ("jti", "\x00"),
        ("exp", None),
        ("exp", AT + 86_400),
        ("exp", "soon"),
        ("nbf", None),
        ("nbf", True),
        ("nbf", -1),
        ("exp", 1 << 70),
    ],
)
def test_a_token_of_something_else_is_refused(claim, value):
    assert isinstance(opened(signed({**CLAIMS, claim: value})), Rejected)


@pytest.mark.parametrize(
    ("seconds", "is_good"),
    [(-61, False), (-60, True), (0, True), (1859, True), (1860, False)],
)
def test_a_token_is_good_from_its_beginning_to_its_end_and_a_minute_around(seconds, is_good):
    told = opened(signed(CLAIMS), NOW + timedelta(seconds=seconds))
    assert isinstance(told, Opened) is is_good


@pytest.mark.parametrize(
    ("origin", "is_ours"),
    [
        ("https://romashka.amocrm.ru", True),
        ("https://romashka.kommo.com", True),
        ("http://romashka.amocrm.ru", False),
        ("https://romashka.amocrm.ru:8443", False),
        ("https://romashka.amocrm.ru/path", False),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_only_pages_of_accounts_may_show_the_widget(origin, is_ours):
    assert connector.hooks.may_embed(APP, origin) is is_ours


def test_the_sandbox_may_show_the_widget_where_it_is_set_and_only_it():
    app = App("client-1", SECRET, APP.redirect_uri, "http://127.0.0.1:9")
    assert connector.hooks.may_embed(app, "http://127.0.0.1:9")
    assert not connector.hooks.may_embed(app, "https://romashka.amocrm.ru")
    assert not connector.hooks.may_embed(APP, "http://127.0.0.1:9")
