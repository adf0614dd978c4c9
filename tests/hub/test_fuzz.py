"""Nothing that a stranger sends is a failure of ours (RELIABILITY bar 6): a few hundred odd requests for each door.

Seeded, so that a failing request comes again. Requests that change a hub go to one whose loops stand still.
"""

import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from sqlalchemy import select

from connectors.amocrm.package import pipeline_secret
from hub.store import crm
from hub.store.tables import Site, table_of
from tests.hub import seed
from tests.hub import world as worlds
from tests.hub.world import World

REQUESTS = 100  # of each kind for each door and engine
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
WORDS = (
    "site",
    "url",
    "referrer",
    "visitor",
    "json",
    "sign",
    "vpbx_api_key",
    "call_id",
    "event",
    "at",
    "email",
    "password",
    "csrf",
    "account[id]",
)
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 10**400, 1.5, "", "x", "\x00", "🔥", "\ud800", "a" * 5_000, "%00", "../../etc/passwd", [], [[]],
    {}, {"a": {"b": []}}, "'; DROP TABLE visit; --", "2026-11-20", "9" * 40, "{{7*7}}", "<script>",
)  # fmt: skip

Fuzz = tuple[str, str, bytes]  # content type, what it is, body


def nested(chance: random.Random) -> bytes:
    depth, (left, right) = chance.choice([3, 900, 5_000]), chance.choice([(b"[", b"]"), (b'{"a":', b"}")])
    return left * depth + b"1" + right * chance.choice([0, depth])


def an_object(chance: random.Random) -> bytes:
    names = [*chance.sample(WORDS, 4), chance.choice(WORDS)]  # perhaps a key twice
    pairs = (f"{json.dumps(name)}:{json.dumps(chance.choice(VALUES))}" for name in names)
    return ("{" + ",".join(pairs) + "}").encode()


def a_form(chance: random.Random) -> bytes:
    names = [
        f"{chance.choice(WORDS)}{chance.choice(['', '[]', '[0][a]', '[' * 30])}" for _ in range(chance.randint(0, 60))
    ]
    return "&".join(f"{name}={quote_from_bytes(chance.randbytes(4))}" for name in names).encode()


def mutated(chance: random.Random) -> bytes:
    body = bytearray(chance.choice([an_object, a_form])(chance))
    for _ in range(chance.randint(1, 5)):
        if body:
            body[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(body)


KINDS: tuple[Callable[[random.Random], bytes], ...] = (
    lambda chance: chance.randbytes(chance.choice([0, 1, 40, 3_000, 70_000])),
    nested,
    an_object,
    a_form,
    mutated,
    lambda chance: an_object(chance).decode().encode("utf-16"),
    lambda chance: a_form(chance) + b"\x00" * chance.randint(1, 9),
)
TYPES = (
    JSON,
    FORM,
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain; charset=utf-16",
    "application/json; charset=ж",
    "",
    ";;",
)
METHODS = ("POST",) * 6 + ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW")
AGENTS = (worlds.BROWSER, "", "curl/8", "\xff" * 40, "x" * 4_000)


def doors(world: World) -> dict[str, list[str]]:
    """The public addresses, by what they belong to; the first of each is the usual one."""
    mango, generic = (told["path"] for told in world.applied.telephony)
    return {
        "dni": ["/dni/v1/visit", "/dni/v1/hb", "/dni/v1/code", "/dni/v1/user", "/dni/v1/%00", "/dni"],
        "mail": [f"/mail/v1/{mail_of(world)}", "/mail/v1/%00", "/mail/v1/x", "/mail"],
        "mango": [f"{mango}/events/summary", f"{mango}/events/call", f"{mango}/ping", mango],
        "generic": [generic, f"{generic}/x/%ff/../y", "/telephony/%00", "/telephony/"],
        "hooks": [f"/hooks/amocrm/{hook_of(world)}", "/hooks/amocrm/%00", f"/hooks/nobody/{hook_of(world)}", "/hooks/x"],
        "pipeline": [pipeline_of(world), "/embed/amocrm/pipeline/%00", "/embed/nobody/pipeline/x", "/embed/amocrm/pipeline"],
        "embed": ["/embed/amocrm/state", "/embed/amocrm/cards/deal/%00", "/embed/amocrm/enquiries/1/visit", "/embed/x/test"],
        "everybody": ["/recordings/%00", "/recordings/" + "x" * 43, "/support", "/privacy", "/enquiries/1/recording/revoke"],
        "oauth": ["/oauth/amocrm/callback", "/oauth/%00/callback", "/connect/amocrm"],
        "api": ["/api/v1/report/roi", "/api/v1/calls", "/api/v1/spend", "/api/v1/status"],
        "console": ["/login", "/", "/enquiries/%00", "/enquiries/9" + "9" * 30, "/deliveries/%00/again", "/logout", "/language", "/static/../../etc/passwd"],
        "elsewhere": ["/health", "/%2e%2e/%2e%2e/etc/passwd", "//evil.example/x", "/\ud7ff", "/" + "a" * 5_000],
    }  # fmt: skip


MACHINES = ("dni", "mail", "mango", "generic", "hooks", "pipeline", "embed", "api", "elsewhere")
DOORS = (*MACHINES, "oauth", "everybody", "console")


def pipeline_of(world: World) -> str:
    return f"/embed/amocrm/pipeline/{pipeline_secret(world.hub.apps['amocrm'])}"


def hook_of(world: World) -> str:
    (of,) = world.hub.db.read_now(crm.installations, 1)
    return of.hook_token


def mail_of(world: World) -> str:
    token: str = world.hub.db.read_now(lambda tx: tx.execute(select(table_of(Site).c.mail_token)).scalar_one())
    return token


@pytest.fixture(scope="module")
def fuzzed(shared: World) -> World:
    """The shared customer, with an account whose doorbell can be rung."""
    grant = seed.grant("31")

    def install(tx: Any) -> None:
        made = crm.install(tx, 1, "amocrm", grant, seed.NOW, shared.hub.vault)
        seed.lanes.open_lane(tx, 1, made, seed.NOW, [])

    shared.hub.db.write_now(install)
    return shared


@pytest.mark.parametrize("door", DOORS)
async def test_no_odd_request_is_a_failure_of_ours(fuzzed: World, door: str) -> None:
    chance = random.Random(door)
    for number in range(REQUESTS):
        path = chance.choice(doors(fuzzed)[door])
        method, kind, body = chance.choice(METHODS), chance.choice(TYPES), chance.choice(KINDS)(chance)
        query = chance.choice(
            ["", f"?{a_form(chance).decode()}", "?site=%00&from=0001-01-01&to=9999-12-31", "?after=" + "9" * 18]
        )
        headers = {"content-type": kind, "user-agent": chance.choice(AGENTS), "accept": "application/json"}
        if chance.random() < 0.5:
            headers["authorization"] = f"Bearer {fuzzed.applied.api_token}"
        plain = {name: given.encode("utf-8" if "ж" in given else "latin-1") for name, given in headers.items()}
        answer = await fuzzed.web.request(method, path + query, content=body, headers=plain)
        asked = (door, number, method, path, query[:80], kind, body[:80])
        assert answer.status_code < 500, asked
        assert answer.headers["x-request-id"], asked
        assert "Traceback" not in answer.text, asked
        if answer.status_code >= 400 and door in MACHINES and method != "HEAD":
            assert set(answer.json()) == {"error", "request_id"}, asked
            assert answer.json()["request_id"] == answer.headers["x-request-id"], asked


@pytest.mark.parametrize("path", ["/dni/v1/visit", "/dni/v1/hb", "/dni/v1/code", "/dni/v1/user"])
async def test_no_odd_field_of_a_page_view_is_a_failure_of_ours(fuzzed: World, path: str) -> None:
    chance = random.Random(path)
    for number in range(REQUESTS):
        told = {
            "site": fuzzed.applied.sites[0]["key"],
            **{name: chance.choice(VALUES) for name in chance.sample(WORDS[1:4], 2)},
        }
        answer = await fuzzed.web.post(path, content=json.dumps(told).encode())
        assert answer.status_code < 500, (number, told)


async def test_no_odd_field_of_a_signed_event_is_a_failure_of_ours(fuzzed: World) -> None:
    chance, now = random.Random(7), fuzzed.clock.now()
    whole = {
        "call_id": "c1",
        "event": "ended",
        "at": now.isoformat(),
        "direction": "inbound",
        "dialled": "+74951110001",
    }
    whole |= {
        "caller": "+79161234567",
        "talk_s": 60,
        "wait_s": 5,
        "status": "answered",
        "operator": "101",
        "visit_id": "1",
    }
    for number in range(REQUESTS * 2):
        told = {**whole, "call_id": f"c{number}"}
        for name in chance.sample(list(whole), chance.randint(0, 3)):
            told[name] = chance.choice(VALUES)
        headers, body = worlds.signed(told, f"m{number}", now)
        answer = await fuzzed.web.post(fuzzed.applied.telephony[1]["path"], content=body, headers=headers)
        assert answer.status_code in (200, 400, 401), (number, told, answer.text)


async def test_no_odd_field_of_an_action_of_the_pipeline_is_a_failure_of_ours(fuzzed: World) -> None:
    chance = random.Random(8)
    for number in range(REQUESTS * 2):
        event: dict[str, Any] = {"data": {"id": number + 1, "element_type": 2}}
        told: dict[str, Any] = {"account_id": 31, "event": event, "action": {"settings": {"widget": {}}}}
        told["action"]["settings"]["widget"]["settings"] = {"goal": "qualified"}
        places = (told, event, event["data"], told["action"], told["action"]["settings"]["widget"]["settings"])
        for place in chance.sample(places, chance.randint(0, 2)):
            place[chance.choice(list(place))] = chance.choice(VALUES)
        sent = {"content": json.dumps(told), "headers": {"content-type": JSON}}
        answer = await fuzzed.web.post(pipeline_of(fuzzed), **sent)  # type: ignore[arg-type]
        assert answer.status_code in (200, 400, 404), (number, told, answer.text)


async def test_what_was_taken_can_all_be_read_later(fuzzed: World) -> None:
    from hub.inbox import look

    for _ in range(2_000):
        if await fuzzed.hub.db.write(look, fuzzed.clock.now(), fuzzed.hub.vault) is None:
            break
    status = await fuzzed.api("status")
    assert status["inbox"] == 0
