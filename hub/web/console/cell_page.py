"""A cell of the scenarios' table as a form: what is done for a state of the caller when something happens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from connectors.scenario import (
    TALKED,
    WITH_LOST_DEAL,
    WITH_OPEN_DEAL,
    CallerState,
    Mode,
    Result,
    Scenario,
    ScenarioError,
    Trigger,
    read_scenario,
)
from connectors.scenario_lines import says_of
from connectors.scenario_reader import DEFAULT_NAME
from connectors.scenario_text import Cell, OtherForm, cell_in, with_cell
from connectors.wording import PLACEHOLDERS
from hub.store import crm, scenario_versions
from hub.store.crm import Installed
from hub.store.scenario_versions import SavedScenario
from hub.web import decided
from hub.web.console.cell_check import Wrong, problems_of, read_sheet, told
from hub.web.console.cell_choices import AS_WRITTEN, PEOPLE, Choices
from hub.web.console.cell_form import FIELDS, OF_LOST_DEAL, OF_OPEN_DEAL, Sheet, Step, sheet_of, steps_of
from hub.web.console.cell_preview import sample_of
from hub.web.console.page import Endpoint, NotHere, form
from hub.web.console.scenarios_page import FILE, accounts_of, chosen, show_page, text_in, try_draft
from hub.web.console.session import to_login, whoever
from hub.web.console.shell import Desk, render

_MOST_FIELDS = 3_000  # of a form: a cell has many actions, each with many fields
_ONE_FIELD = (("", "", Mode.ALWAYS.value),)
_ADDED_FIRST = {  # the field a new action is begun with, if it has any
    "deal": "name",
    "incoming": "name",
    "note": "text",
    "task": "text",
    "move": "place",
    "reopen": "place",
    "fields": "fields0",
    "tag": "tags",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A cell that is being changed: the draft it is of, and what was typed so far."""

    accounts: Sequence[Installed]
    of: Installed
    versions: Sequence[SavedScenario]
    text: str
    based_on: str
    trigger: Trigger
    state: CallerState
    scenario: Scenario
    old: Cell | None  # None: the cell has no rule
    choices: Choices


def _wide(endpoint: Endpoint) -> Endpoint:
    """Let a form of somebody who is logged in have many fields."""

    async def guarded(request: Request) -> Response:
        if await whoever(request) is None:
            return to_login(request)
        await request.form(max_files=0, max_fields=_MOST_FIELDS)
        return await endpoint(request)

    return guarded


@form
async def _show(desk: Desk) -> Response:
    asked = await desk.request.form()
    accounts = await accounts_of(desk)
    of, text = chosen(accounts, str(asked.get("connector", ""))), text_in(asked.get("text"))
    versions = await desk.hub.db.read(scenario_versions.every, desk.tenant_id, of.connector)
    based_on, (trigger, state) = str(asked.get("based_on", "")), _place_in(asked)
    try:
        scenario = read_scenario(text, FILE, crm.facts_of(of.facts))
        old = cell_in(text, trigger, state)
    except ScenarioError as error:
        return show_page(desk, accounts, of, versions, text=text, problems=error.problems, based_on=based_on)
    except OtherForm:
        say = [desk.words("cell.other_form")]
        return show_page(desk, accounts, of, versions, text=text, problems=say, based_on=based_on)
    opened = Opened(accounts, of, versions, text, based_on, trigger, state, scenario, old, _choices(text, of))
    do = str(asked.get("do", "open"))
    if do == "open":
        return await _page(desk, opened, steps_of(old, opened.choices) if old is not None else None)
    sheet = sheet_of((name, str(told_)) for name, told_ in asked.multi_items())
    typed = sheet if sheet or asked.get("has_rule") else None
    if do == "save":
        return await _save(desk, opened, typed)
    changed, focus = _done(do, typed, trigger)
    return await _page(desk, opened, changed, focus)


show = _wide(_show)


def _choices(text: str, of: Installed) -> Choices:
    top = says_of(yaml.compose(text, Loader=yaml.SafeLoader))
    return Choices(crm.facts_of(of.facts), top if isinstance(top, dict) else {})


def _place_in(asked: FormData) -> tuple[Trigger, CallerState]:
    trigger, _, state = str(asked.get("cell", "")).partition(".")
    try:
        return Trigger(trigger or str(asked.get("trigger", ""))), CallerState(state or str(asked.get("state", "")))
    except ValueError:
        raise NotHere from None


# -- saving


async def _save(desk: Desk, opened: Opened, sheet: Sheet | None) -> Response:
    """Put the cell into the draft and try it; with what is wrong the page is shown again, as it was typed."""
    choices, t = opened.choices, desk.words
    cell, wrong = read_sheet(sheet, opened.old or {}, choices, t) if sheet is not None else ({}, [])
    wrong += problems_of(opened.text, opened.trigger, opened.state, cell, choices.facts, t)
    if wrong:
        return await _page(desk, opened, sheet, wrong=wrong)
    text = opened.text
    if (cell or None) != opened.old:
        text = with_cell(opened.text, opened.trigger, opened.state, cell or None)
    try:
        read_scenario(text, FILE, choices.facts)
    except ScenarioError as error:
        wrong = [Wrong((-1, ""), told(one.partition(": ")[2], t)) for one in error.problems]
        return await _page(desk, opened, sheet, wrong=wrong)
    place = (opened.state, opened.trigger)
    return await try_draft(desk, opened.accounts, opened.of, opened.versions, text, opened.based_on, changed=place)


# -- what the buttons do


def _done(do: str, sheet: Sheet | None, trigger: Trigger) -> tuple[Sheet | None, str]:
    """Return the form after a button was pressed, and what is looked at next."""
    what, _, which = do.partition(".")
    made = {result: list(steps) for result, steps in (sheet or {}).items()}
    if what == "add":
        return _with_step(made, *which.partition(".")[::2])
    if what == "rule" and which in list(Result):
        made.setdefault(which, [])
        return made, f"s-{which}"
    if what == "drop" and which in made:
        del made[which]
        return made or None, "head"
    if what in ("up", "down", "remove", "field") and which.isascii() and which.isdigit():
        return _with_changed(made, what, int(which))
    return sheet, "preview" if what == "preview" else "head"


def _with_step(made: dict[str, list[Step]], result: str, kind: str) -> tuple[Sheet, str]:
    if kind not in FIELDS or result not in list(Result):
        return made, "head"
    made.setdefault(result, []).append(Step(kind, fields=_ONE_FIELD if kind == "fields" else ()))
    before = list(made)[: list(made).index(result) + 1]
    field = _ADDED_FIRST.get(kind)
    return made, f"a{sum(len(made[one]) for one in before) - 1}" + (f"-{field}" if field else "")


def _with_changed(made: dict[str, list[Step]], what: str, number: int) -> tuple[Sheet, str]:
    """Move an action, take it out, or give it one more field."""
    first = 0
    for result, steps in made.items():
        place = number - first
        first += len(steps)
        if not 0 <= place < len(steps):
            continue
        if what == "remove":
            del steps[place]
            return made, f"s-{result}"
        if what == "field":
            step = steps[place]
            steps[place] = _with_field(step)
            return made, f"a{number}-fields{len(step.fields)}"
        to = place + (1 if what == "down" else -1)
        if 0 <= to < len(steps):
            steps[place], steps[to] = steps[to], steps[place]
            is_last = to in (0, len(steps) - 1)
            return made, f"a{number + to - place}" + ("" if is_last else f"-{what}")
    return made, "head"


def _with_field(step: Step) -> Step:
    return replace(step, fields=(*step.fields, *_ONE_FIELD))


# -- the page


async def _page(
    desk: Desk, opened: Opened, sheet: Sheet | None, focus: str = "head", wrong: Sequence[Wrong] = ()
) -> Response:
    choices, t = opened.choices, desk.words
    sample = await desk.hub.db.read(
        sample_of, desk.tenant_id, opened.scenario, opened.trigger, desk.now, desk.hub.vault, desk.hub.numbering
    )
    at = _by_place(wrong)
    first = next((n_field for n_field in at if n_field != (-1, "")), None)
    return render(
        desk,
        "cell.html",
        status=422 if wrong else 200,
        opened=opened,
        account=opened.of,
        steps=_numbered(sheet),
        sheet=sheet,
        choices=choices,
        sample=sample,
        wrong=wrong,
        wrong_at=at,
        focus=(_id(first) if first else "wrong") if wrong else focus,
        id_of=_id,
        is_draft=not opened.versions or opened.versions[0].text != opened.text,
        kinds=[kind for kind in FIELDS if _may_stand(kind, opened.state)],
        more=[one for one in Result if one not in (sheet or {})] if opened.trigger in TALKED and sheet else [],
        modes=list(Mode),
        people=PEOPLE,
        as_written=AS_WRITTEN,
        placeholders=PLACEHOLDERS,
        default_name=DEFAULT_NAME[opened.scenario.language],
        head=decided.cell(opened.trigger, opened.state, t),
    )


def _may_stand(kind: str, state: CallerState) -> bool:
    """Say whether an action may stand in a state; what changes a lost deal may, once it is opened again."""
    if kind in OF_OPEN_DEAL and state in WITH_OPEN_DEAL:
        return True
    return state in WITH_LOST_DEAL if kind in OF_LOST_DEAL else kind not in OF_OPEN_DEAL


def _numbered(sheet: Sheet | None) -> Mapping[str, Sequence[tuple[int, Step]]]:
    """Return the actions of each result with their numbers in the form."""
    numbers = iter(range(sum(map(len, (sheet or {}).values()))))
    return {result: [(next(numbers), step) for step in steps] for result, steps in (sheet or {}).items()}


def _by_place(wrong: Sequence[Wrong]) -> Mapping[tuple[int, str], str]:
    found: dict[Any, str] = {}
    for one in wrong:
        found[one.at] = f"{found[one.at]} {one.sentence}" if one.at in found else one.sentence
    return found


def _id(at: tuple[int, str]) -> str:
    """Return the id of a field of the page."""
    number, name = at
    return "wrong" if number < 0 else f"a{number}-{name}" if name else f"a{number}"
