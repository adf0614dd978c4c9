"""b24pysdk, the vendor's own Python SDK, run against the sandbox over TLS on loopback; only its auth host is told."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from sandbox.bitrix24.answering import run
from sandbox.bitrix24.app import Sandbox
from sandbox.bitrix24.frame import make_frame
from sandbox.bitrix24.php import form
from tests.sandbox.bitrix24.conftest import OPTIONS
from tests.sandbox.bitrix24.live import Certificate, Live, certify, served_securely
from tests.sandbox.conftest import HandClock
from tests.sandbox.loopback import Turntable

b24pysdk = pytest.importorskip("b24pysdk")
errors = pytest.importorskip("b24pysdk.errors")
oauth_errors = pytest.importorskip("b24pysdk.errors.oauth")
credentials = pytest.importorskip("b24pysdk.credentials")
requesters = pytest.importorskip("b24pysdk.api.requesters")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certify(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure(certificate: Certificate) -> Iterator[Turntable]:
    """A server over TLS for whichever sandbox is laid on it."""
    table = Turntable()
    with served_securely(table, certificate) as table.base_url:
        yield table


@pytest.fixture
def live(clock: HandClock, secure: Turntable, certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Live:
    """A sandbox the SDK trusts and takes for the auth server too."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.chain))
    requester = requesters.BitrixOAuthRequester
    monkeypatch.setattr(requester, "_OAUTH_TOKEN_URL", f"{secure.base_url}/oauth/token/")
    monkeypatch.setattr(requester, "_APP_INFO_URL", f"{secure.base_url}/rest/app.info/")
    sandbox = Sandbox(OPTIONS, clock, {"limiter": False, "app_info_expires": "text"})
    secure.app = sandbox.app
    return Live(sandbox, secure.base_url, sandbox.greeting(secure.base_url))  # type: ignore[arg-type]


@pytest.fixture
def app(live: Live) -> Any:
    return b24pysdk.BitrixApp(client_id=live.keys["client_id"], client_secret=live.keys["client_secret"])


@pytest.fixture
def token(live: Live, app: Any) -> Any:
    """The SDK's token of the app; when it expires only the portal tells."""
    keys = live.keys
    return b24pysdk.BitrixToken(
        domain=live.domain, auth_token=keys["access_token"], refresh_token=keys["refresh_token"], bitrix_app=app
    )


@pytest.fixture
def client(token: Any) -> Any:
    return b24pysdk.Client(token)


def test_a_code_becomes_a_token_with_every_key_the_sdk_wants(live: Live, app: Any) -> None:
    renewed = app.get_oauth_token(live.sandbox.portal.tokens.new_code(1))
    assert (renewed.user_id, renewed.member_id) == (1, live.keys["member_id"])
    assert renewed.client_endpoint == f"{live.base_url}/rest/"
    assert "telephony" in renewed.scope


def test_an_expired_token_is_refreshed_and_the_call_repeated(live: Live, token: Any) -> None:
    live.sandbox.portal.tokens.expire_access()
    told = token.call_method("profile")
    assert told["result"]["ID"] == "1"
    assert token.refresh_token != live.keys["refresh_token"]
    assert [row.status for row in live.asked("profile")] == [401, 200]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_secret": "no"}, "BitrixOAuthInvalidClient"),
        ({"client_id": "app.no"}, "BitrixOauthWrongClient"),
        ({"refresh": "no"}, "BitrixOAuthInvalidGrant"),
        ({"refresh": ""}, "BitrixOAuthInvalidRequest"),
    ],
)
def test_the_sdk_knows_the_errors_of_the_token_endpoint(live: Live, change: dict[str, str], error: str) -> None:
    keys = {"client_id": live.keys["client_id"], "client_secret": live.keys["client_secret"]}
    app = b24pysdk.BitrixApp(**{name: change.get(name, value) for name, value in keys.items()})
    with pytest.raises(getattr(oauth_errors, error)):
        app.refresh_oauth_token(change.get("refresh", live.keys["refresh_token"]))


def test_the_auth_server_tells_what_the_sdk_reads(live: Live, token: Any) -> None:
    told = token.get_app_info()
    assert told.result.client_id == live.keys["client_id"]
    assert (told.result.install.member_id, told.result.install.domain) == (live.keys["member_id"], live.domain)
    assert told.result.install.installed is True


def test_the_sheets_number_is_no_time_for_the_sdk(live: Live, token: Any) -> None:
    live.sandbox.dial.turn({"app_info_expires": "number"})
    with pytest.raises(TypeError, match="fromisoformat"):
        token.get_app_info()


@pytest.mark.parametrize(
    ("switches", "error"),
    [
        ({"plan": "free"}, "BitrixAPIAccessDenied"),
        ({"portal_deleted": True}, "BitrixAPIPortalDeleted"),
        ({"mode": "unpaid"}, "BitrixAPIPaymentRequired"),
        ({"rates": {"429": 1}}, "BitrixAPIOperationTimeLimit"),
        ({"rates": {"500": 1}}, "BitrixAPIInternalServerError"),
        ({"rates": {"html_error": 1}}, "BitrixResponseJSONDecodeError"),
        ({"missing_methods": "profile"}, "BitrixAPINotFound"),
    ],
)
def test_the_sdk_knows_the_errors_of_the_portal(
    live: Live, token: Any, switches: dict[str, object], error: str
) -> None:
    live.sandbox.dial.turn(switches)
    with pytest.raises(getattr(errors, error)):
        token.call_method("profile")


def test_it_reads_the_words_of_a_refusal(token: Any) -> None:
    with pytest.raises(errors.BitrixAPIBadRequest, match="Not found") as raised:
        token.call_method("crm.deal.get", {"id": 1})
    assert raised.value.error == ""


def test_a_webhook_may_not_do_what_an_app_may(live: Live) -> None:
    hook = live.sandbox.portal.webhook
    token = b24pysdk.BitrixWebhook(domain=live.domain, webhook_token=f"{hook.user_id}/{hook.code}")
    assert token.call_method("profile")["result"]["ADMIN"] is True
    with pytest.raises(errors.BitrixAPIWrongAuthType):
        token.call_method("event.get")


def test_it_follows_a_renamed_portal(live: Live, token: Any) -> None:
    port = live.domain.rpartition(":")[2]
    live.sandbox.portal.old_domains.add(live.domain)
    live.sandbox.portal.told_domain = f"localhost:{port}"
    with pytest.raises(errors.BitrixResponse302JSONDecodeError) as raised:
        raise_only(token)
    assert raised.value.new_domain in (f"localhost:{port}", "localhost")


def raise_only(token: Any) -> None:
    """Calls once, without the SDK's own move to the new host (it loses the port)."""
    type(token)._AUTO_CHANGED_DOMAIN = False
    try:
        token.call_method("profile")
    finally:
        type(token)._AUTO_CHANGED_DOMAIN = True


def test_typed_calls_of_the_crm(client: Any) -> None:
    contact = client.crm.item.add(entity_type_id=3, fields={"name": "Иван"}).result["item"]
    fields = {"title": "Call", "contactId": contact["id"], "originatorId": "callhub", "originId": "c-77"}
    deal = client.crm.item.add(entity_type_id=2, fields=fields).result["item"]
    found = client.crm.item.list(entity_type_id=2, filter={"=originId": "c-77"}).result["items"]
    won = client.crm.item.update(entity_type_id=2, bitrix_id=deal["id"], fields={"stageId": "WON"}).result["item"]
    after = client.crm.item.get(entity_type_id=2, bitrix_id=deal["id"]).result["item"]
    gone = client.crm.item.delete(entity_type_id=2, bitrix_id=deal["id"]).result
    assert [one["id"] for one in found] == [deal["id"]]
    assert (won["stageSemanticId"], after["contactIds"], gone) == ("S", [contact["id"]], [])
    assert client.crm.item.list(entity_type_id=2).result["items"] == []


def test_pages_slow_and_fast(token: Any) -> None:
    token.call_batches({f"d{n}": ("crm.deal.add", {"fields": {"TITLE": f"n{n}"}}) for n in range(120)})
    slow = token.call_list("crm.deal.list", {"select": ["ID"]})["result"]
    fast = [*token.call_list_fast("crm.deal.list", {"select": ["ID"]})["result"]]
    assert len(slow) == len(fast) == 120
    assert {one["ID"] for one in slow} == {one["ID"] for one in fast}


def test_a_batch_with_a_failure_in_it(token: Any) -> None:
    told = token.call_batch({"a": ("profile", {}), "b": ("crm.deal.get", {"id": 1})})["result"]
    assert told["result"]["a"]["ID"] == "1"
    assert told["result_error"]["b"]["error_description"] == "Not found"


def test_the_time_of_a_reply(client: Any, live: Live) -> None:
    time = client.user.current().response.time
    assert time.operating == 0.1
    assert time.operating_reset_at.timestamp() == live.sandbox.portal.now() + 600


def test_an_event_is_what_the_sdk_parses(live: Live) -> None:
    portal = live.sandbox.portal
    turn = portal.person(6, live.base_url, "event.bind")
    turn.params = {"event": "ONCRMDEALADD", "handler": "https://hub.example/events"}
    run(turn)
    for robot in (False, True):
        run(_adding(live, robot))
    by_person, by_robot = (
        credentials.OAuthEventData.from_dict(dict(parse_qsl(form({**post.told, "ts": 1}))))
        for post in portal.sender.queue
    )
    assert (by_person.event, by_person.auth.user_id, by_person.is_system) == ("ONCRMDEALADD", 6, False)
    assert by_person.auth.application_token == live.keys["application_token"]
    assert by_robot.is_system is True


def _adding(live: Live, robot: bool) -> Any:
    turn = live.sandbox.portal.person(6, live.base_url, "crm.deal.add", robot)
    turn.params = {"fields": {}}
    return turn


def test_an_iframes_form_is_what_the_sdk_parses(live: Live, app: Any) -> None:
    frame = make_frame(
        live.sandbox.portal, 6, "https://hub.example/tab", live.base_url, "CRM_DEAL_DETAIL_TAB", {"ID": "342"}
    )
    sent = {**dict(parse_qsl(urlsplit(frame.url).query)), **frame.fields}
    data = credentials.OAuthPlacementData.from_dict(sent)
    token = b24pysdk.BitrixToken.from_oauth_placement_data(data, app)
    assert (data.placement, data.placement_options) == ("CRM_DEAL_DETAIL_TAB", {"ID": "342"})
    assert data.validate_against_app_info(token.get_app_info().result) is True
    assert token.call_method("profile")["result"]["ID"] == "6"


def test_typed_calls_of_telephony_and_placements(client: Any) -> None:
    call = client.telephony.external_call.register("+79991112233", 2, user_id=6, show=0, external_call_id="c").result
    bound = client.placement.bind(placement="CRM_DEAL_DETAIL_TAB", handler="https://hub.example/tab").result
    assert (call["CALL_ID"].startswith("externalCall."), bound) == (True, True)
    assert client.placement.get().result[0]["placement"] == "CRM_DEAL_DETAIL_TAB"
