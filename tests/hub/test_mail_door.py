"""Letters: the address a visitor was shown names his visit, each letter is one enquiry, and nothing is lost."""

import itertools
import json
import shutil
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import format_datetime
from html import unescape
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
from sqlalchemy import select

from hub import visit_codes
from hub.store import enquiries, story
from hub.store.mail import letters_told, replies
from hub.store.sites import site_door
from hub.store.tables import Enquiry, table_of
from hub.web import middleware, page_script
from hub.web.words.callback import HELLO
from tests.hub import world as worlds
from tests.hub.conftest import BOTH
from tests.hub.test_flow import AD
from tests.hub.world import World
from tracking_core.match import SHEET_THRESHOLDS

MAIL = '{address: sales@okna.example, reply: "sales+{code}@okna.example"}'
SETUP = worlds.SETUP.replace("    hosts: [okna.example]\n", f"    hosts: [okna.example]\n    mail: {MAIL}\n")
ORIGIN = {"origin": "https://okna.example"}
_enquiry = table_of(Enquiry)
_ids = itertools.count(1)


def letter(to: str = "sales@okna.example", text: str = "Сколько стоит окно 2 x 1,5?", **headers: str) -> bytes:
    """A letter of Anna's, with these headers besides."""
    made = EmailMessage()
    usual = {"From": "Анна Петрова <Anna@Mail.example>", "To": to, "Subject": "Окно", "Message-ID": new_id()}
    for name, told in {**usual, **{name.replace("_", "-"): told for name, told in headers.items()}}.items():
        if told:
            made[name] = told
    made.set_content(text)
    return made.as_bytes()


def new_id() -> str:
    """Return a Message-ID nobody has used."""
    return f"<a{next(_ids)}@mail.example>"


async def post(world: World, raw: bytes, path: str | None = None) -> httpx.Response:
    return await world.web.post(path or world.applied.sites[0]["mail"], content=raw)


async def taken(world: World, raw: bytes) -> Any:
    """Post a letter; return the enquiry it became."""
    answer = (await post(world, raw)).json()
    assert (answer["new"], answer["reason"]) == (True, "")
    return await row(world, answer["enquiry"])


async def row(world: World, enquiry_id: int) -> Any:
    return await world.hub.db.read(lambda tx: tx.execute(select(_enquiry).where(_enquiry.c.id == enquiry_id)).one())


async def address_of(world: World, shown: dict[str, Any], **headers: str) -> str:
    """Return the address the script shows this visitor."""
    asked = {"site": world.applied.sites[0]["key"], "visitor": shown["visitor"], "visit": shown["visit"]}
    answer = await world.web.post("/dni/v1/code", content=json.dumps(asked), headers=ORIGIN | headers)
    assert answer.status_code == 200, answer.text
    return f"sales+{answer.json()['code']}@okna.example"


@pytest.fixture(scope="module", params=BOTH)
def mail(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A customer whose letters are followed, on a hub whose loops stand still; one for all tests."""
    with worlds.of_module(request, tmp_path_factory.mktemp("mail"), SETUP) as made:
        yield made


async def refusals(world: World) -> dict[str, int]:
    told = (await world.api("status"))["refusals"]
    return {one["reason"]: one["times"] for one in told if one["door"].startswith("mail")}


# -- an enquiry like any other


async def test_a_letter_names_the_visit_that_was_shown_its_address(mail: World) -> None:
    shown = await mail.visit(AD)
    kept = await taken(mail, letter(to=await address_of(mail, shown)))
    assert (kept.kind, kept.named_visit_id, kept.site_id) == ("mail", shown["visit"], 1)
    about = (await mail.hub.db.read(enquiries.written, 1, "mail", kept.key, mail.hub.vault)).about
    assert about.person.email == "anna@mail.example"
    assert about.told == {"name": "Анна Петрова", "subject": "Окно", "text": "Сколько стоит окно 2 x 1,5?"}


async def test_the_same_letter_twice_is_one_enquiry(mail: World) -> None:
    raw = letter()
    kept = await taken(mail, raw)
    assert (await post(mail, raw)).json() == {"enquiry": kept.id, "new": False, "reason": ""}


async def test_a_letter_without_a_true_code_or_a_sender_is_an_enquiry_all_the_same(mail: World) -> None:
    letters = [letter(), letter(to="sales+zzzzzzzzzz@okna.example"), letter(From="")]
    assert [(await taken(mail, raw)).named_visit_id for raw in letters] == [None] * 3


async def test_a_letter_that_is_longer_than_what_is_read_is_taken(mail: World) -> None:
    await taken(mail, letter() + b"\r\n" + b"A" * 3_000_000)


async def test_a_letter_that_was_long_on_its_way_keeps_its_own_moment(mail: World) -> None:
    written = mail.clock.now()
    mail.clock.forward(3 * 3_600)
    late, impossible = format_datetime(written), "Mon, 1 Jan 2035 00:00:00 +0000"
    moments = [(await taken(mail, letter(Date=date))).at for date in (late, impossible)]
    assert moments == [written, mail.clock.now()]


async def test_what_a_letter_says_is_sealed_and_its_id_is_not_kept(mail: World) -> None:
    kept = await taken(mail, letter())
    assert kept.key.startswith("mail:")
    assert [name for name in kept._fields if "mail.example" in str(getattr(kept, name))] == []


# -- conversations


def answer_to(first: str, **headers: str) -> bytes:
    """A later letter of the same thread: our own answer was between them."""
    between = {"References": f"{first} <b2@okna.example>", "Subject": "Re: Окно"}
    return letter(text="Согласна.\n\n> Окно стоит 9 000", **{**between, **headers})


async def test_a_reply_of_the_same_person_is_the_same_enquiry_and_is_kept_with_it(mail: World) -> None:
    first = new_id()
    kept, reply = await taken(mail, letter(Message_ID=first)), answer_to(first)
    answers = [(await post(mail, reply)).json() for _ in range(2)]
    assert answers == [{"enquiry": kept.id, "new": is_new, "reason": "reply"} for is_new in (True, False)]
    told = await mail.hub.db.read(story.story, 1, kept.id, mail.hub.vault)
    assert told is not None
    assert [reply.text for reply in replies(told.told)] == ["Согласна."]


async def test_somebody_else_or_another_thread_is_an_enquiry_of_its_own(mail: World) -> None:
    first = new_id()
    await taken(mail, letter(Message_ID=first))
    await taken(mail, answer_to(first, From="Boris <boris@mail.example>"))
    await taken(mail, answer_to(new_id()))


async def test_a_thread_that_has_slept_for_long_begins_anew(mail: World) -> None:
    first = new_id()
    await taken(mail, letter(Message_ID=first))
    mail.clock.forward(SHEET_THRESHOLDS.memory.total_seconds() + 1)
    await taken(mail, answer_to(first))


# -- no enquiries


async def test_what_no_person_wrote_to_us_is_counted_and_answered_with_its_reason(mail: World) -> None:
    answer = await post(mail, letter(Auto_Submitted="auto-replied"))
    assert (answer.status_code, answer.json()) == (200, {"enquiry": None, "new": False, "reason": "auto_reply"})
    await post(mail, letter(From="MAILER-DAEMON@okna.example"))
    await post(mail, letter(From="Продажи <office@okna.example>"))
    counted = {"auto_reply": 1, "bounce": 1, "own": 1}
    assert (await mail.hub.db.read(letters_told, 1, 1, mail.clock.now())).not_taken == counted
    assert counted.items() <= (await refusals(mail)).items()


async def test_a_path_of_nobodys_is_refused(mail: World) -> None:
    assert (await post(mail, letter(), "/mail/v1/nobody")).status_code == 404
    assert (await refusals(mail))["unknown_path"] == 1


async def test_what_is_no_letter_is_refused_in_words(mail: World) -> None:
    answers = [await post(mail, raw) for raw in (b"", b"\x00\xff" * 100, b'{"from": "anna@mail.example"}')]
    assert [answer.status_code for answer in answers] == [400] * 3
    assert answers[0].json()["error"].startswith("The body is not a letter")
    assert (await refusals(mail))["not_a_letter"] == 3


async def test_a_letter_beyond_all_measure_is_refused_in_words(mail: World) -> None:
    with patch.dict(middleware._CAPS, {"/mail/": 10_000}):
        answer = await post(mail, letter() + b"A" * 10_000)
    assert (answer.status_code, answer.json()["error"]) == (413, "The body is longer than 10000 bytes.")


# -- the code


async def test_a_code_is_given_for_ones_own_visit_alone(mail: World) -> None:
    his, other = await mail.visit(AD), await mail.visit(AD)
    asked = {"site": mail.applied.sites[0]["key"], "visitor": his["visitor"], "visit": other["visit"]}
    answer = await mail.web.post("/dni/v1/code", content=json.dumps(asked), headers=ORIGIN)
    assert (answer.status_code, answer.json()["error"]) == (400, "The field visit is not a visit of this visitor.")


async def test_without_a_visitor_and_a_visit_there_is_no_code(mail: World) -> None:
    his = await mail.visit(AD)
    wrong = [{"visitor": None}, {"visit": None}, {"visit": "x"}, {"visit": 2**63}, {"visitor": "p" + "0" * 31}]
    for one in wrong:
        asked = {"site": mail.applied.sites[0]["key"], "visitor": his["visitor"], "visit": his["visit"], **one}
        answer = await mail.web.post("/dni/v1/code", content=json.dumps(asked), headers=ORIGIN)
        assert answer.status_code == 400, one


async def test_a_robot_is_given_no_code(mail: World) -> None:
    robot = {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
    assert await address_of(mail, await mail.visit(AD), **robot) == "sales+None@okna.example"


CHAT = {"kind": "chat", "name": "Анна"}


@pytest.mark.parametrize("said", [{"code": "{}"}, {"text": "Здравствуйте! Пишу с вашего сайта. (№ {})"}])
async def test_a_chat_names_its_visit_by_the_code(mail: World, said: dict[str, str]) -> None:
    shown = await mail.visit(AD)
    code = visit_codes.code_of(shown["visit"], 1, mail.hub.vault)
    told = {**CHAT, "id": new_id(), **{name: text.format(code.upper()) for name, text in said.items()}}
    headers = {"authorization": f"Bearer {mail.applied.api_token}"}
    answer = await mail.web.post("/api/v1/enquiries", content=json.dumps(told), headers=headers)
    assert (await row(mail, answer.json()["enquiry"])).named_visit_id == shown["visit"]


async def test_a_code_of_another_customer_names_nobody(mail: World) -> None:
    shown = await mail.visit(AD)
    assert (
        await mail.hub.db.read(
            visit_codes.named, 2, [visit_codes.code_of(shown["visit"], 2, mail.hub.vault)], mail.hub.vault
        )
        is None
    )


# -- what people see


async def test_the_page_of_sites_says_what_the_mail_server_needs_and_what_came(mail: World) -> None:
    await taken(mail, letter())
    await post(mail, letter(X_Spam_Flag="YES"))
    await mail.log_in()
    told = unescape((await mail.web.get("/sites")).text)
    path = mail.applied.sites[0]["mail"]
    wanted = (
        f"curl -sS --data-binary @- http://hub.test{path}",
        "sales+000hhy05yp@okna.example",
        "пометил как спам: 1",
    )
    assert [one for one in wanted if one not in told] == []


async def test_the_story_of_a_letter_shows_who_wrote_what_and_what_he_wrote_later(mail: World) -> None:
    first = new_id()
    kept = await taken(mail, letter(Message_ID=first))
    await post(mail, answer_to(first))
    await mail.log_in()
    told = unescape((await mail.web.get(f"/enquiries/{kept.id}")).text)
    wanted = ("Письмо: Анна Петрова", "anna@mail.example", ">Окно<", "Сколько стоит окно 2 x 1,5?", "Согласна.")
    assert [one for one in wanted if one not in told] == []


# -- the second script


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (f"mail: {MAIL}", {"mail": {"address": "sales@okna.example", "reply": "sales+{code}@okna.example"}}),
        ("messengers: true", {"messengers": page_script._LINKS, "hello": HELLO}),
        ("messengers: {text: Hi}", {"messengers": page_script._LINKS, "hello": {"ru": "Hi", "en": "Hi"}}),
        ("forms: true", {}),
    ],
)
def test_the_page_is_told_what_carries_the_code_and_only_then_has_the_script(
    sqlite_template: Path, tmp_path: Path, asked: str, told: dict[str, Any]
) -> None:
    file = shutil.copy(sqlite_template, tmp_path / "hub.sqlite3")
    setup = worlds.SETUP.replace("    hosts:", f"    {asked}\n    hosts:")
    with worlds.still(f"sqlite:///{file}", tmp_path, setup) as world:
        site = world.hub.db.read_now(site_door, world.applied.sites[0]["key"])
        assert site is not None
        body = page_script._enquiries(site, "http://hub.test")
    settings = json.loads(body.partition(b"=")[2].partition(b";\n")[0])
    assert {name: settings[name] for name in ("mail", "messengers", "hello") if name in settings} == told
    assert (page_script.script("visit_code.js") in body) is bool(told)
