"""The widgets API, and an account that moved to another subdomain."""

import httpx
import pytest

from sandbox.amocrm.app import Sandbox

OLD, NEW = {"Host": "romashka.test:8801"}, {"Host": "vasilek.test:8801"}


@pytest.fixture
async def widget(web: httpx.AsyncClient) -> str:
    """A widget that was uploaded and needs a key; nobody has installed it."""
    sent = {"code": "calls", "version": "1.2.0", "settings": ["hub_key", "note"], "required": ["hub_key"]}
    await web.post("/_sandbox/widget", json=sent)
    return "/api/v4/widgets/calls"


async def test_an_uploaded_widget_is_not_active_yet(api: httpx.AsyncClient, widget: str, sandbox: Sandbox) -> None:
    told = (await api.get(widget)).json()
    assert (told["code"], told["version"], told["is_active_in_account"]) == ("calls", "1.2.0", False)
    assert told["client_uuid"] == sandbox.account.tokens.client_id
    assert told["settings_template"][0] == {"key": "hub_key", "name": "hub_key", "type": "text", "is_required": True}


async def test_installing_keeps_the_settings(api: httpx.AsyncClient, widget: str) -> None:
    installed = await api.post(widget, json={"hub_key": "7f3a"})
    told = (await api.get(widget)).json()
    assert installed.status_code == 200
    assert (told["is_active_in_account"], told["settings"]) == (True, {"hub_key": "7f3a"})


async def test_a_required_setting_cannot_be_left_out(api: httpx.AsyncClient, widget: str) -> None:
    assert (await api.post(widget, json={"note": "x"})).status_code == 400


async def test_removing_ends_it(api: httpx.AsyncClient, widget: str) -> None:
    await api.post(widget, json={"hub_key": "7f3a"})
    removed = await api.delete(widget)
    assert removed.status_code == 204
    assert (await api.get(widget)).json()["is_active_in_account"] is False


async def test_somebody_elses_token_sees_no_settings(
    api: httpx.AsyncClient, maria: httpx.AsyncClient, widget: str
) -> None:
    await api.post(widget, json={"hub_key": "7f3a"})
    assert "settings" not in (await maria.get(widget)).json()


async def test_only_an_admin_installs(maria: httpx.AsyncClient, widget: str) -> None:
    assert (await maria.post(widget, json={"hub_key": "7f3a"})).status_code == 403


async def test_an_unknown_code_is_404_and_no_widget_at_all_204(api: httpx.AsyncClient) -> None:
    assert (await api.get("/api/v4/widgets/nothing")).status_code == 404
    assert (await api.get("/api/v4/widgets")).status_code == 204


async def test_a_moved_account_answers_404_at_its_old_host(api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    await web.post("/_sandbox/subdomain", json={"subdomain": "vasilek"})
    assert (await api.get("/api/v4/account", headers=OLD)).status_code == 404
    assert (await api.get("/api/v4/account", headers=NEW)).json()["subdomain"] == "vasilek"


async def test_the_old_host_refreshes_nothing_and_tells_the_new_name(
    web: httpx.AsyncClient, keys: dict[str, object]
) -> None:
    await web.post("/_sandbox/subdomain", json={"subdomain": "vasilek"})
    names = ("client_id", "client_secret", "refresh_token", "redirect_uri")
    sent = {"grant_type": "refresh_token", **{name: keys[name] for name in names}}
    badge = {"X-Refresh-Token": str(keys["refresh_token"])}
    told = (await web.get("/oauth2/account/current/subdomain", headers=OLD | badge)).json()
    assert (await web.post("/oauth2/access_token", json=sent, headers=OLD)).status_code == 404
    assert told["domain"] == "vasilek.test:8801"
    assert (await web.post("/oauth2/access_token", json=sent, headers=NEW)).status_code == 200


async def test_an_account_that_moves_back_answers_again(api: httpx.AsyncClient, web: httpx.AsyncClient) -> None:
    for name in ("vasilek", "romashka"):
        await web.post("/_sandbox/subdomain", json={"subdomain": name})
    assert (await api.get("/api/v4/account", headers=OLD)).status_code == 200
