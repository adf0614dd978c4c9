"""Canaries through the whole flow (RELIABILITY bar 15): no token, secret or whole number of a caller is found at rest,
in a log, or in an answer."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.store import crm, grants
from tests.hub import world as worlds
from tests.hub.world import World

CALLERS = ("+79161234567", "+79265550199")
OPERATOR_TALKS = {"talk_s": 61, "wait_s": 7, "status": "answered"}
PASSWORD = "correct-horse-battery"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def spellings(e164: str) -> list[str]:
    """The ways a number may stand in a text."""
    digits = e164.removeprefix("+")
    area, rest = digits[1:4], digits[4:]
    dashed = f"{rest[:3]}-{rest[3:5]}-{rest[5:]}"
    return [digits[1:], f"{area} {dashed}", f"{area}) {dashed}", f"{area}{dashed}"]


async def lived(world: World) -> list[str]:
    """Live a day with good and bad requests; return every answer a person or a script was given."""
    told: list[str] = []

    async def keep(method: str, path: str, **more: Any) -> None:
        answer = await world.web.request(method, path, **more)
        told.append(f"{answer.headers}{answer.text}")

    assert (await world.connect()).status_code == 303
    shown = await world.visit("https://okna.example/?yclid=777&token=canary-landing&phone=79161234567")
    await world.mango_call("c1", CALLERS[0], shown["number"], talk_s=60)
    end = {"call_id": "g1", "event": "ended", "at": world.clock.now().isoformat(), **OPERATOR_TALKS}
    end |= {
        "dialled": "+74952220001",
        "caller": CALLERS[1],
        "recording_url": "https://records.example/canary-recording",
    }
    assert (await world.generic(end, "m1")).status_code == 200
    await world.delivered(2)
    await world.crm_web.post("/_sandbox/dial", json={"rates": {"500": 1.0}})
    await world.mango_call("c2", CALLERS[0], shown["number"], talk_s=0)
    await world.until(lambda status: bool(status["deliveries"].get("ready")) and not status["inbox"], step_s=0.1)
    bearer = {"authorization": f"Bearer {world.applied.api_token}"}
    day = world.clock.now().date().isoformat()
    for path in ("calls", "status", f"report/roi?from={day}&to={day}"):
        await keep("GET", f"/api/v1/{path}", headers=bearer)
    html = {"accept": "text/html"}
    pages = ["/", "/enquiries", "/connections", "/nowhere", *(f"/enquiries/{number}" for number in (1, 2, 3))]
    pages += [f"/deliveries?state={state}" for state in ("ready", "parked", "delivered", "sending")]
    for page in pages:
        await keep("GET", page, headers=html)
    await world.hub.round_trips.write_waiting()
    for page in ("requests", "requests?failed=1", "requests.jsonl"):  # what was asked of the CRM, and its answers
        await keep("GET", f"/connections/1/{page}", headers=html)
    path = world.applied.telephony[0]["path"]
    bad = {"vpbx_api_key": worlds.MANGO_KEY, "sign": "0", "json": json.dumps({"from": CALLERS[0]})}
    await keep("POST", f"{path}/events/call", data=bad)
    await keep("POST", "/telephony/canary-path", content=CALLERS[0])
    await keep("POST", "/embed/amocrm/pipeline/canary-path", content=CALLERS[0])
    await keep("GET", "/recordings/canary-path")
    await keep("POST", "/login", data={"email": "owner@okna.example", "password": "canary-password"})
    await keep("GET", "/oauth/amocrm/callback?code=canary-code&state=canary-state&referer=evil.example")
    return told


def tokens(world: World) -> list[str]:
    """Everything that opens a door, as it was given."""
    (of,) = world.hub.db.read_now(crm.installations, 1)
    grant = world.hub.db.read_now(grants.load, of, world.hub.vault).grant
    signing = base64.b64decode(worlds.SIGNING.removeprefix("whsec_")).decode()
    ours = [worlds.MANGO_KEY, worlds.MANGO_SALT, worlds.SIGNING, signing, PASSWORD, world.applied.api_token]
    return [*ours, grant.access_token, str(grant.refresh_token), world.crm["client_secret"], *_typed]


_typed = ["canary-landing", "canary-recording", "canary-path", "canary-password", "canary-code", "canary-state"]


def found(canaries: list[str], text: str) -> list[str]:
    return [canary for canary in canaries if canary in text]


async def test_no_canary_is_found_at_rest_in_a_log_or_in_an_answer(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    with capture_logs() as events:
        told = await lived(world)
    session = world.web.cookies["cthub"]
    canaries = [*tokens(world), session, *(one for number in CALLERS for one in spellings(number))]
    file = Path(str(world.hub.db.url.database))
    kept = b"".join(one.read_bytes() for one in file.parent.glob(f"{file.name}*")).decode("latin-1")
    assert "+7 916 ***-**-67" in kept  # so that the search is known to read what is there
    assert found(canaries, kept) == []
    out, err = capfd.readouterr()
    assert found(canaries, f"{events}{out}{err}") == []
    assert [event for event in events if event["log_level"] in ("error", "critical")] == []
    text = "".join(told)
    assert "+7 916 ***-**-67" in text
    assert '"access_token\\":\\"***' in text and "+*********67" in text  # so that the log is known to tell something
    assert found([one for one in canaries if one != session], text) == []
    assert not re.search(r"\+7\s?916\s?123", text)
