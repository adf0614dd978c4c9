"""The log of requests to an account: what happened, why, what can be done; to take along, and to delete."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest

from connectors.bitrix24.encoding import methods
from connectors.errors import Sent
from connectors.round_trips import CAP, RoundTrip
from hub.store import crm, people, round_trips, tables
from hub.store.db import Db
from hub.store.round_trips import Heard
from hub.store.vault import Vault
from hub.web.console.bodies import readable
from hub.web.console.requests_page import WRONG
from hub.web.words import LANGUAGES
from tests.hub.console.conftest import NOW, Seeded, StoppedClock

OURS = {"sec-fetch-site": "same-origin"}


def trip(number: int = 1, status: int | None = 200, **more: Any) -> RoundTrip:
    """A round trip as a client tells it."""
    told = {
        "method": "POST",
        "address": f"https://okna.example/rest/batch-{number}?auth=***",
        "lost": None,
        "detail": "",
        "took": timedelta(milliseconds=1_240),
        "asked": '{"cmd":{"a":"crm.item.add"}}',
        "asked_size": 28,
        "answered": '{"result":[]}',
        "answered_size": 13,
        "failed": status is None or status >= 300,
        **more,
    }
    return RoundTrip(status=status, **told)


class Account:
    """The account of the first tenant, with requests that a test writes."""

    def __init__(self, db: Db, vault: Vault, tenant_id: int) -> None:
        self.db, self.vault = db, vault
        (of,) = db.read_now(crm.installations, tenant_id)
        self.place = (tenant_id, of.id)
        self.path = f"/connections/{of.id}/requests"

    def was_asked(self, *trips: RoundTrip) -> None:
        """Each a second after the one before, the last of them now."""
        heard = [Heard(self.place, NOW - timedelta(seconds=len(trips) - 1 - at), one) for at, one in enumerate(trips)]
        self.db.write_now(round_trips.save, round_trips.rows_of(heard, {}, self.vault))

    def log(self) -> list[str]:
        """Return the addresses in the log."""
        return [one.address for one in self.db.read_now(round_trips.latest, self.place, self.vault, 999)]


@pytest.fixture
def account(db: Db, vault: Vault, seeded: Seeded) -> Account:
    return Account(db, vault, seeded.tenant)


@pytest.fixture
def theirs(db: Db, vault: Vault, seeded: Seeded) -> Account:
    return Account(db, vault, seeded.stranger)


async def text(client: httpx.AsyncClient, path: str) -> str:
    """Return what a person reads on a page."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text)))


async def test_the_card_of_a_connection_leads_to_its_requests(owner: httpx.AsyncClient, account: Account) -> None:
    assert f'href="{account.path}"' in (await owner.get("/connections")).text


async def test_a_request_says_when_what_how_long_and_opens_to_its_bodies(
    owner: httpx.AsyncClient, account: Account
) -> None:
    account.was_asked(trip())
    told = await text(owner, account.path)
    assert "15:00:00 POST /rest/batch-1 200 1,24 с" in told
    assert "https://okna.example/rest/batch-1?auth=***" in told
    assert 'Запрос 28 Б { "cmd": { "a": "crm.item.add" } } Ответ 13 Б { "result": [] }' in told
    assert "Журнал хранится 7 дней, потом удаляется сам." in told


@pytest.mark.parametrize(("size", "rest"), [(90, ""), (CAP + 1, ", …")])
async def test_a_request_for_many_things_says_which(
    owner: httpx.AsyncClient, hub: Any, account: Account, size: int, rest: str
) -> None:
    hub.connectors["acme"].asked_in = methods
    body = '{"auth":"***","halt":0,"cmd":{"a":"crm.item.add?fields[x]=1","b":"crm.item.add?y","c":"profile"}}'
    account.was_asked(trip(asked=body, asked_size=size))
    assert f"crm.item.add ×2, profile{rest}<" in (await owner.get(account.path)).text


async def test_the_newest_stands_first(owner: httpx.AsyncClient, account: Account) -> None:
    account.was_asked(trip(1), trip(2), trip(3))
    told = await text(owner, account.path)
    assert told.index("batch-3") < told.index("batch-2") < told.index("batch-1")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"status": 400}, "CRM не приняла данные запроса Какие именно, сказано в ответе."),
        ({"status": 401}, "Доступ больше не действует Хаб обновит его сам."),
        ({"status": 418}, "CRM отказалась выполнить запрос Причина в ответе."),
        ({"status": 429}, "CRM просит слать запросы реже Делать ничего не нужно"),
        ({"status": 302}, "CRM отправила на другой адрес"),
        ({"status": 503}, "Сбой на стороне CRM Делать ничего не нужно"),
        ({"status": 200, "failed": True}, "CRM ответила, но в ответе есть ошибка"),
        ({"status": None, "lost": Sent.NOT, "detail": "ConnectError: x"}, "нет ответа 1,24 с Соединения нет: запрос точно не дошёл"),
        ({"status": None, "lost": Sent.PERHAPS, "detail": "ReadTimeout: x"}, "Ответа нет: неизвестно, дошёл ли запрос"),
        ({"status": None, "lost": Sent.PERHAPS, "detail": "given up"}, "Ответа не дождались: хаб прервал запрос"),
    ],
)  # fmt: skip
async def test_what_went_wrong_is_said_with_what_can_be_done(
    owner: httpx.AsyncClient, account: Account, asked: Any, said: str
) -> None:
    account.was_asked(trip(**asked))
    told = await text(owner, account.path)
    assert said in told
    assert asked.get("detail", "") in told


def test_whatever_goes_wrong_has_words() -> None:
    for texts in LANGUAGES.values():
        assert [
            one for one in WRONG if not (texts.get(f"requests.wrong.{one}") and texts.get(f"requests.do.{one}"))
        ] == []


async def test_what_failed_can_be_shown_alone(owner: httpx.AsyncClient, account: Account) -> None:
    account.was_asked(trip(1), trip(2, 500), trip(3))
    told = await text(owner, f"{account.path}?failed=1")
    assert "batch-2" in told
    assert "batch-1" not in told and "batch-3" not in told


async def test_a_log_without_failures_says_so(owner: httpx.AsyncClient, account: Account) -> None:
    account.was_asked(trip())
    assert "Неудачных запросов нет" in await text(owner, f"{account.path}?failed=1")


async def test_an_empty_log_says_when_it_will_not_be(owner: httpx.AsyncClient, account: Account) -> None:
    assert "Запросов пока нет" in await text(owner, account.path)


async def test_earlier_ones_stand_on_the_next_page_and_none_is_left_out(
    owner: httpx.AsyncClient, account: Account
) -> None:
    account.was_asked(*(trip(number) for number in range(120)))
    path, seen = account.path, []
    for _ in range(3):
        html = (await owner.get(path)).text
        seen += [int(one) for one in re.findall(r"<code>POST /rest/batch-(\d+)", html)]
        older = re.search(rf'href="({re.escape(account.path)}\?[^"]*below[^"]*)"', html)
        path = unescape(older[1]) if older else ""
    assert seen == list(range(119, -1, -1))
    assert path == ""


@pytest.mark.parametrize("below", ["x", "0-0", "1", "9223372036854775807-1", "-", "1-9999999999999999999999"])
async def test_a_spot_that_is_none_begins_at_the_top_or_finds_nothing(
    owner: httpx.AsyncClient, account: Account, below: str
) -> None:
    account.was_asked(trip())
    assert (await owner.get(account.path, params={"below": below})).status_code == 200


async def test_a_long_body_says_how_long_it_was(owner: httpx.AsyncClient, account: Account) -> None:
    account.was_asked(trip(answered="[" + "1," * 2_000, answered_size=3 * CAP))
    assert "Ответ 12 КБ · показано не больше 4 КБ" in await text(owner, account.path)


async def test_what_another_system_said_is_shown_as_text(owner: httpx.AsyncClient, account: Account) -> None:
    account.was_asked(trip(answered="<script>alert(1)</script>"))
    html = (await owner.get(account.path)).text
    assert "<script>" not in html and "&lt;script&gt;alert(1)" in html


async def test_the_page_speaks_english(owner: httpx.AsyncClient, db: Db, seeded: Seeded, account: Account) -> None:
    person = await db.read(people.owner, seeded.tenant)
    await db.write(people.set_language, seeded.tenant, person, "en")
    account.was_asked(*(trip(number, status) for number, status in enumerate((200, 400, 500, None))))
    told = (await text(owner, account.path)).replace("Русский", "").replace("Окна Плюс", "")
    assert not re.search("[а-яё]", told, re.IGNORECASE)


# -- to take along


async def test_the_log_is_downloaded_as_json_lines(owner: httpx.AsyncClient, account: Account) -> None:
    account.was_asked(*(trip(number, 500 if number % 2 else 200) for number in range(450)))
    answer = await owner.get(f"{account.path}.jsonl")
    lines = [json.loads(one) for one in answer.text.splitlines()]
    assert answer.headers["content-disposition"].startswith("attachment")
    assert len(lines) == 450
    assert lines[0] == {
        "at": NOW.isoformat(),
        "method": "POST",
        "address": "https://okna.example/rest/batch-449?auth=***",
        "status": 500,
        "failed": True,
        "no_answer": None,
        "detail": None,
        "seconds": 1.24,
        "request": '{"cmd":{"a":"crm.item.add"}}',
        "request_bytes": 28,
        "response": '{"result":[]}',
        "response_bytes": 13,
    }


async def test_what_failed_is_downloaded_alone(owner: httpx.AsyncClient, account: Account) -> None:
    account.was_asked(trip(1), trip(2, None, lost=Sent.PERHAPS, detail="ReadTimeout: x"))
    (line,) = (json.loads(one) for one in (await owner.get(f"{account.path}.jsonl?failed=1")).text.splitlines())
    assert (line["status"], line["no_answer"], line["detail"]) == (None, "perhaps", "ReadTimeout: x")


# -- to delete


async def csrf(client: httpx.AsyncClient, account: Account) -> str:
    (found,) = set(re.findall(r'name="csrf" value="([^"]+)"', (await client.get(account.path)).text))
    return str(found)


async def test_a_person_deletes_the_log_of_one_account(
    owner: httpx.AsyncClient, account: Account, theirs: Account
) -> None:
    account.was_asked(trip(1), trip(2))
    theirs.was_asked(trip(3))
    told = {"csrf": await csrf(owner, account)}
    answer = await owner.post(f"{account.path}/delete", data=told, headers=OURS, follow_redirects=True)
    assert "Журнал удалён." in answer.text
    assert account.log() == []
    assert len(theirs.log()) == 1


async def test_a_request_that_is_not_of_the_persons_own_page_deletes_nothing(
    owner: httpx.AsyncClient, account: Account
) -> None:
    account.was_asked(trip())
    assert (await owner.post(f"{account.path}/delete", data={"csrf": "x"}, headers=OURS)).status_code == 403
    assert len(account.log()) == 1


# -- whose it is


@pytest.mark.parametrize("path", ["", ".jsonl"])
async def test_another_tenants_log_is_not_here(
    owner: httpx.AsyncClient, account: Account, theirs: Account, path: str
) -> None:
    theirs.was_asked(trip())
    assert (await owner.get(theirs.path + path)).status_code == 404


async def test_another_tenants_log_is_not_deleted(owner: httpx.AsyncClient, account: Account, theirs: Account) -> None:
    account.was_asked(trip())
    theirs.was_asked(trip())
    told = {"csrf": await csrf(owner, account)}
    assert (await owner.post(f"{theirs.path}/delete", data=told, headers=OURS)).status_code == 404
    assert len(theirs.log()) == 1


@pytest.mark.parametrize("path", ["", ".jsonl"])
async def test_who_is_not_logged_in_is_sent_to_the_login(
    browser: httpx.AsyncClient, account: Account, path: str
) -> None:
    answer = await browser.get(account.path + path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("id_", ["0", "999", "x", "99999999999999999999"])
async def test_an_account_that_is_not_there_has_no_log(owner: httpx.AsyncClient, id_: str) -> None:
    assert (await owner.get(f"/connections/{id_}/requests")).status_code == 404


async def test_the_log_of_an_account_that_was_disconnected_can_still_be_read(
    owner: httpx.AsyncClient, account: Account
) -> None:
    account.was_asked(trip())
    account.db.write_now(crm.set_status, *account.place, crm.REMOVED, "")
    assert "batch-1" in await text(owner, account.path)


# -- bodies


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"a":1,"b":[true,null]}', '{\n  "a": 1,\n  "b": [\n    true,\n    null\n  ]\n}'),
        ('{"a":{},"b":[ ]}', '{\n  "a": {},\n  "b": []\n}'),
        ('{"a":"x,{\\"y\\":[1]}"}', '{\n  "a": "x,{\\"y\\":[1]}"\n}'),
        ('{"a":[1,{"b":"cut', '{\n  "a": [\n    1,\n    {\n      "b": "cut'),
        ("grant_type=refresh_token&client_secret=***", "grant_type=refresh_token\n&client_secret=***"),
        ("Bad gateway", "Bad gateway"),
        ("", ""),
    ],
)
def test_a_body_is_laid_out_also_where_it_is_cut(body: str, shown: str) -> None:
    assert readable(body) == shown


def test_a_body_of_brackets_stays_small() -> None:
    assert len(readable("[" * CAP)) < 50 * CAP


# -- how long


async def test_what_is_old_is_deleted_and_what_is_younger_stays(
    hub: Any, account: Account, clock: StoppedClock
) -> None:
    account.was_asked(trip(1), trip(2))
    clock.at = NOW + timedelta(days=7) - timedelta(milliseconds=500)
    await hub.round_trips.sweep()
    assert account.log() == ["https://okna.example/rest/batch-2?auth=***"]


def test_of_an_account_that_sends_very_much_the_latest_stay(account: Account, theirs: Account) -> None:
    account.was_asked(*(trip(number) for number in range(9)))
    theirs.was_asked(*(trip(number) for number in range(9)))
    last = account.db.read_now(round_trips.too_old, *account.place, NOW - timedelta(days=7), 4)
    assert last is not None
    assert account.db.write_now(round_trips.delete_some, *account.place, last) == 5
    assert [re.findall(r"batch-(.)", one)[0] for one in account.log()] == ["8", "7", "6", "5"]
    assert len(theirs.log()) == 9


async def test_a_long_log_is_deleted_a_part_at_a_time(hub: Any, account: Account) -> None:
    account.was_asked(*(trip(number) for number in range(1_200)))
    assert await hub.round_trips.forget(*account.place) == 1_200
    assert account.log() == []


def test_bodies_are_sealed_at_rest(account: Account) -> None:
    account.was_asked(trip(answered='{"text":"what a person wrote"}'))
    (row,) = account.db.read_now(lambda tx: tx.execute(tables.table_of(tables.RoundTrip).select()).all())
    assert b"person" not in row.bodies
    assert account.db.read_now(round_trips.latest, account.place, Vault({"k9": b"9" * 32}), 9)[0].answered == ""
