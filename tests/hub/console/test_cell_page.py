"""A cell of the scenarios' table as a form: opened, changed, refused, tried; the rest of the draft stays."""

import re
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from hub.store import scenario_versions, tables
from hub.store.db import Db
from hub.store.tx import Tx
from tests.hub.console.conftest import NOW
from tests.hub.console.test_pages import text_of
from tests.hub.console.test_session import csrf_of

FACTS = {
    "account": "1", "name": "Окна", "currency": "RUB", "users": {"7": "Иван", "8": "Мария"},
    "fields": {"UTM_SOURCE": "9"}, "warnings": [],
    "pipelines": [
        {"id": "1", "name": "Продажи", "stages": [
            {"id": "11", "name": "Новая", "outcome": "open"}, {"id": "12", "name": "В работе", "outcome": "open"},
            {"id": "142", "name": "Успех", "outcome": "won"}]},
        {"id": "2", "name": "Ремонт", "stages": [{"id": "21", "name": "Заявка", "outcome": "open"}]},
    ],
}  # fmt: skip
TEXT = """\
# наш сценарий
texts: {call: "Источник: {source}"}
ended:
  unknown:
    - deal: {name: "Звонок {caller}"}  # главное
    - note: {use: call}
  open_deal:
    - move: {stage: в работе}
missed:
  unknown:
    - deal
    - task: {text: Перезвонить, due_minutes: 15, responsible: [answerer, Иван]}  # очередь
"""


@pytest.fixture
def company(db: Db, seeded: Any) -> Db:
    """The tenant's account is known, and a version with comments runs."""

    def write(tx: Tx) -> None:
        tx.execute(update(tables.table_of(tables.Installation)).values(facts=FACTS))
        scenario_versions.save(tx, seeded.tenant, "acme", TEXT, "first@example.com", NOW)

    db.write_now(write)
    return db


async def send(owner: httpx.AsyncClient, cell: str, do: str = "open", **given: object) -> httpx.Response:
    told = {"csrf": await csrf_of(owner), "connector": "acme", "based_on": 1, "text": TEXT, "cell": cell, "do": do}
    return await owner.post("/scenarios/cell", data=told | given)


async def opened(owner: httpx.AsyncClient, cell: str, **given: object) -> str:
    answer = await send(owner, cell, **given)
    assert answer.status_code == 200, answer.text
    return answer.text


def typed(html: str) -> dict[str, Any]:
    """What a browser would send of the form of the page."""
    form = html.partition('<form class="cell"')[2].partition("</form>")[0]
    sent: dict[str, Any] = {}
    for tag, inside in re.findall(
        r"<(input|textarea|select)\b(.*?)(?=<(?:input|textarea|select|button)\b|$)", form, re.S
    ):
        head = inside.partition(">")[0]
        name = re.search(r'name="([^"]*)"', head)
        is_off = 'type="checkbox"' in head and "checked" not in head
        if name is None or is_off:
            continue
        if tag == "select":
            chosen = re.search(r'<option value="([^"]*)" selected|<option selected>([^<]*)', inside)
            value = (chosen[1] or chosen[2]) if chosen else ""
        elif tag == "textarea":
            value = inside.partition(">\n")[2].partition("</textarea")[0]
        else:
            value = (re.search(r'value="([^"]*)"', head) or ["", ""])[1]
        sent.setdefault(name[1], []).append(unescape(value or ""))
    return sent


async def save(owner: httpx.AsyncClient, cell: str, **changed: object) -> httpx.Response:
    """Open a cell, type something else into some fields, and save it."""
    return await send(owner, cell, **(typed(await opened(owner, cell)) | {"do": "save"} | changed))


def draft(html: str) -> str:
    """The text that the page would publish."""
    return unescape(
        html.partition('action="/scenarios/publish"')[2].partition("hidden>\n")[2].partition("</textarea")[0]
    )


async def test_each_cell_of_the_table_is_opened_by_a_button_that_says_which(
    owner: httpx.AsyncClient, company: Db
) -> None:
    told = text_of((await owner.get("/scenarios")).text)
    assert "Изменить : Разговор окончен: если человека нет в CRM" in told
    assert "Добавить : Звонок пропущен: если есть открытая сделка" in told


async def test_a_cell_shows_its_actions_with_the_names_of_the_account(owner: httpx.AsyncClient, company: Db) -> None:
    told = await opened(owner, "ended.open_deal")
    assert '<option value="1|12" selected>В работе</option>' in told
    assert "1. Перевести сделку на этап" in text_of(told)
    assert "Успех" not in told  # a move closes nothing


async def test_a_cell_saved_as_it_was_leaves_the_text_as_it_was(owner: httpx.AsyncClient, company: Db) -> None:
    for cell in ("ended.unknown", "ended.open_deal", "missed.unknown"):
        answer = await save(owner, cell)
        assert (answer.status_code, draft(answer.text)) == (200, TEXT)
        assert "Клетка осталась как была" in answer.text


async def test_a_new_name_changes_its_line_alone_and_is_tried_at_once(
    owner: httpx.AsyncClient, company: Db, seeded: Any
) -> None:
    answer = await save(owner, "ended.unknown", **{"a0.name": "Новый {caller}"})
    assert draft(answer.text) == TEXT.replace("Звонок {caller}", "Новый {caller}")
    told = text_of(answer.text)
    assert "Клетка изменена: Разговор окончен: если человека нет в CRM" in told
    assert "Что он сделал бы" in told
    assert told.count("Изменено") == 1
    assert [one.text for one in company.read_now(scenario_versions.every, seeded.tenant, "acme")] == [TEXT]


async def test_what_no_field_is_made_for_is_shown_as_text_and_kept(owner: httpx.AsyncClient, company: Db) -> None:
    told = await opened(owner, "missed.unknown")
    assert "responsible: [answerer, Иван]" in told
    answer = await save(owner, "missed.unknown", **{"a1.due_minutes": "30"})
    assert draft(answer.text) == TEXT.replace("due_minutes: 15", "due_minutes: 30")


async def test_somebody_chosen_takes_the_place_of_the_list(owner: httpx.AsyncClient, company: Db) -> None:
    answer = await save(owner, "missed.unknown", **{"a1.responsible": "8"})
    assert draft(answer.text) == TEXT.replace("[answerer, Иван]", "Мария")


async def test_a_place_is_written_by_its_names(owner: httpx.AsyncClient, company: Db) -> None:
    answer = await save(owner, "ended.unknown", **{"a0.place": "2|21"})
    new = '{name: "Звонок {caller}", pipeline: Ремонт, stage: Заявка}'
    assert draft(answer.text) == TEXT.replace('{name: "Звонок {caller}"}', new)


async def test_a_refused_value_is_said_at_its_field_and_nothing_typed_is_lost(
    owner: httpx.AsyncClient, company: Db
) -> None:
    answer = await save(owner, "missed.unknown", **{"a1.text": "Позвонить {callr}", "a1.due_minutes": "0"})
    assert answer.status_code == 422
    assert "Хаб не знает {callr}. Возможно, {caller}?" in answer.text
    assert 'id="a1-due_minutes-wrong"><b>Не так:</b> Нужно целое число от 1 до 43200.' in answer.text
    assert "Позвонить {callr}</textarea>" in answer.text
    assert re.search(r'id="a1-text"[^>]*aria-invalid="true"[^>]*autofocus', answer.text)
    assert re.search(r'name="a1.due_minutes"[^>]*value="0"', answer.text)


async def test_an_empty_task_is_refused_in_english_too(owner: httpx.AsyncClient, company: Db) -> None:
    await owner.post("/language", data={"csrf": await csrf_of(owner), "language": "en", "next": "/"})
    answer = await save(owner, "missed.unknown", **{"a1.text": " "})
    assert 'id="a1-text-wrong"><b>Wrong:</b> Write something here.' in answer.text


async def test_an_action_without_a_deal_is_refused_at_the_action(owner: httpx.AsyncClient, company: Db) -> None:
    first = typed(await opened(owner, "missed.unknown")) | {"do": "down.0"}
    moved = typed((await send(owner, "missed.unknown", **first)).text)
    answer = await send(owner, "missed.unknown", **(moved | {"do": "save"}))
    assert 'id="a0-wrong"><b>Не так:</b> Здесь ещё нет сделки' in answer.text


async def test_actions_are_added_moved_and_removed_without_a_script(owner: httpx.AsyncClient, company: Db) -> None:
    cell = "ended.unknown"
    added = (await send(owner, cell, **(typed(await opened(owner, cell)) | {"do": "add.otherwise.task"}))).text
    assert re.search(r'id="a2-text"[^>]*autofocus', added)
    filled = typed(added) | {"a2.text": "Позвонить", "a2.due_minutes": "5", "do": "up.2"}
    up = (await send(owner, cell, **filled)).text
    assert re.search(r'id="a1-up" autofocus', up)
    gone = typed((await send(owner, cell, **(typed(up) | {"do": "remove.2"}))).text)
    answer = await send(owner, cell, **(gone | {"do": "save"}))
    assert draft(answer.text) == TEXT.replace(
        "    - note: {use: call}\n", "    - task: {text: Позвонить, due_minutes: 5}\n"
    )


async def test_a_cell_without_a_rule_gets_one(owner: httpx.AsyncClient, company: Db) -> None:
    assert "Своего правила здесь нет" in await opened(owner, "form.won")
    made = typed((await send(owner, "form.won", "add.otherwise.deal")).text)
    answer = await send(owner, "form.won", **(made | {"do": "save"}))
    assert draft(answer.text) == TEXT + "\nform:\n  won:\n    - deal\n"


async def test_a_case_the_table_does_not_show_is_opened_by_what_happens_and_whom_the_crm_knows(
    owner: httpx.AsyncClient, company: Db
) -> None:
    told = text_of(await opened(owner, "", trigger="chat", state="lost"))
    assert "Чат: если все сделки проиграны" in told


async def test_a_rule_is_taken_away(owner: httpx.AsyncClient, company: Db) -> None:
    cell = "ended.open_deal"
    dropped = typed((await send(owner, cell, **(typed(await opened(owner, cell)) | {"do": "drop.otherwise"}))).text)
    answer = await send(owner, cell, **(dropped | {"do": "save"}))
    assert draft(answer.text) == TEXT.replace("  open_deal:\n    - move: {stage: в работе}\n", "")
    assert "Правило убрано: решает более общая строка ниже" in answer.text


async def added(owner: httpx.AsyncClient, cell: str, kind: str, **given: object) -> str:
    """Add an action to the rule of a cell, save it, and return the draft."""
    first = typed(await opened(owner, cell)) | {"do": f"add.otherwise.{kind}"}
    made = typed((await send(owner, cell, **first)).text)
    answer = await send(owner, cell, **(made | given | {"do": "save"}))
    assert answer.status_code == 200, answer.text
    return draft(answer.text)


async def test_a_lost_deal_is_opened_again_at_a_stage(owner: httpx.AsyncClient, company: Db) -> None:
    told = await added(owner, "ended.lost", "reopen", **{"a0.place": "1|12"})
    assert "  lost:\n    - reopen:" in told
    assert "stage: В работе" in told


async def test_tasks_of_the_hub_are_closed(owner: httpx.AsyncClient, company: Db) -> None:
    told = await added(owner, "ended.open_deal", "close_tasks")
    assert told == TEXT.replace("    - move: {stage: в работе}\n", "    - move: {stage: в работе}\n    - close_tasks\n")


@pytest.mark.parametrize(
    ("cell", "offered"),
    [("ended.lost", "reopen"), ("ended.open_deal", "move"), ("ended.open_deal", "close_tasks"), ("ended.won", "deal")],
)
async def test_a_cell_offers_what_may_stand_there(
    owner: httpx.AsyncClient, company: Db, cell: str, offered: str
) -> None:
    assert f'value="add.otherwise.{offered}"' in (await send(owner, cell, f"add.otherwise.{offered}")).text


@pytest.mark.parametrize(
    ("cell", "kind"), [("ended.open_deal", "reopen"), ("ended.won", "move"), ("ended.lost", "move")]
)
async def test_and_nothing_else(owner: httpx.AsyncClient, company: Db, cell: str, kind: str) -> None:
    assert f'value="add.otherwise.{kind}"' not in (await send(owner, cell, "add.otherwise.note")).text


async def test_a_result_of_its_own_is_a_rule_beside_the_others(owner: httpx.AsyncClient, company: Db) -> None:
    cell = "ended.open_deal"
    split = typed((await send(owner, cell, **(typed(await opened(owner, cell)) | {"do": "rule.short"}))).text)
    answer = await send(owner, cell, **(split | {"do": "save"}))
    both = "    otherwise:\n      - move: {stage: в работе}\n    short: []\n"
    assert draft(answer.text) == TEXT.replace("    - move: {stage: в работе}\n", both)


async def test_the_preview_is_filled_with_the_last_enquiry_and_covers_the_number(
    owner: httpx.AsyncClient, company: Db
) -> None:
    told = text_of(await opened(owner, "ended.unknown"))
    assert "Получится: Звонок скрытый номер" in told  # the numbers of this company are not kept
    assert "{dialled} номер, на который звонили +7 495 123-45-67" in told


async def test_who_publishes_what_was_changed_meanwhile_is_told(
    owner: httpx.AsyncClient, company: Db, seeded: Any
) -> None:
    answer = await save(owner, "ended.unknown", **{"a0.name": "Новый"})
    company.write_now(scenario_versions.save, seeded.tenant, "acme", TEXT + "# \n", "x", NOW)
    told = re.search(r'publish".*?name="based_on" value="(\d+)"', answer.text, re.S)
    assert told is not None and told[1] == "1"


async def test_a_cell_that_is_none_is_not_here(owner: httpx.AsyncClient, company: Db) -> None:
    assert (await send(owner, "ended.nobody")).status_code == 404


async def test_a_form_of_somebody_elses_page_is_refused(owner: httpx.AsyncClient, company: Db) -> None:
    assert (await send(owner, "ended.unknown", csrf="x")).status_code == 403
