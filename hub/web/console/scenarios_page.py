"""The scenarios: what becomes of an enquiry in each CRM as a table, its versions, and a trial before a new one runs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from functools import lru_cache
from typing import Any

from starlette.responses import RedirectResponse, Response

from connectors.ready_made import ready_made
from connectors.scenario import CallerState, Rule, Scenario, ScenarioError, Trigger, every_rule, read_scenario
from hub.dry_run import DAYS, DryRun
from hub.planning import Rules, fitting, misfit, one_of_each, runs_on
from hub.store import crm, publishing, scenario_versions
from hub.store.crm import Installed
from hub.store.scenario_versions import SavedScenario
from hub.store.tx import Tx
from hub.web import decided, dry_run_told
from hub.web.console.page import NotHere, form, page
from hub.web.console.session import form_of
from hub.web.console.shell import Desk, render
from hub.web.given import id_in, version_in

_SHOWN = 50  # differences of a trial
FILE = "scenario"  # what problems call the text of the page


Place = tuple[CallerState, Trigger]  # of a cell


@dataclass(frozen=True, slots=True)
class Version:
    """A saved version and how it differs from the one before."""

    saved: SavedScenario
    diff: str
    is_live: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """A scenario as a table: what happens across, whom the CRM knows down; a cell has the rules of both."""

    triggers: Sequence[Trigger]
    states: Sequence[CallerState]
    cells: Mapping[Place, Sequence[Rule]]
    changed: frozenset[Place] = frozenset()  # cells of a draft that are not as those that run


@page
async def show(desk: Desk) -> Response:
    """Show the scenario of a connected CRM, and what can be done with it."""
    accounts = await accounts_of(desk)
    if not accounts:
        return render(desk, "scenarios.html", account=None, accounts=())
    of = chosen(accounts, desk.request.query_params.get("connector", ""))
    versions = await desk.hub.db.read(scenario_versions.every, desk.tenant_id, of.connector)
    told, start = desk.request.query_params.get("done", ""), desk.request.query_params.get("start", "")
    begun = ready_made(desk.words.language).get(start)
    drafted = read_draft(begun, of) if begun else None
    text = begun or (versions[0].text if versions else "")
    return show_page(desk, accounts, of, versions, text=text, done=told, drafted=drafted)


@form
async def try_out(desk: Desk) -> Response:
    """Try a text on what has been, and show what it would have done."""
    asked = await form_of(desk.request)
    accounts = await accounts_of(desk)
    of = chosen(accounts, str(asked.get("connector", "")))
    text, days = text_in(asked.get("text")), _days(asked.get("days"))
    versions = await desk.hub.db.read(scenario_versions.every, desk.tenant_id, of.connector)
    return await try_draft(desk, accounts, of, versions, text, str(asked.get("based_on", "")), days)


async def try_draft(
    desk: Desk,
    accounts: Sequence[Installed],
    of: Installed,
    versions: Sequence[SavedScenario],
    text: str,
    based_on: str,
    days: int = DAYS,
    changed: Place | None = None,
) -> Response:
    """Show a text that is not saved as a table, with what it would have done; ``changed`` is the cell just changed."""
    try:
        tried = await desk.hub.db.read(dry_run_told.tried, desk.hub, of, text, FILE, days)
    except ScenarioError as error:
        return show_page(desk, accounts, of, versions, text=text, problems=error.problems, days=days, based_on=based_on)
    assert tried is not None  # it is only without a text
    drafted, made = tried
    return show_page(
        desk,
        accounts,
        of,
        versions,
        text=text,
        made=made,
        drafted=drafted,
        changed=changed,
        days=days,
        based_on=based_on,
    )


@form
async def publish(desk: Desk) -> Response:
    """Let a text run from now on: refused while something is wrong with it, or when another was saved meanwhile."""
    asked = await form_of(desk.request)
    accounts = await accounts_of(desk)
    of = chosen(accounts, str(asked.get("connector", "")))
    text, based_on = text_in(asked.get("text")), str(asked.get("based_on", ""))
    versions = await desk.hub.db.read(scenario_versions.every, desk.tenant_id, of.connector)
    try:
        read_scenario(text, FILE, crm.facts_of(of.facts))
    except ScenarioError as error:
        return show_page(desk, accounts, of, versions, text=text, problems=error.problems, based_on=based_on)
    saved = await desk.hub.db.write(_saved, desk, of, text, based_on)
    if not saved:
        drafted = read_draft(text, of)
        return show_page(desk, accounts, of, versions, text=text, is_late=True, drafted=drafted)
    return RedirectResponse(f"/scenarios?connector={of.connector}&done=published", status_code=303)


@form
async def go_back(desk: Desk) -> Response:
    """Let an older version run again, as a new one."""
    asked = await form_of(desk.request)
    accounts = await accounts_of(desk)
    of = chosen(accounts, str(asked.get("connector", "")))
    wanted = id_in(str(asked.get("version", ""))) or 0
    older = await desk.hub.db.read(scenario_versions.one, desk.tenant_id, of.connector, wanted)
    if older is None:
        raise NotHere
    try:
        read_scenario(older.text, FILE, crm.facts_of(of.facts))
    except ScenarioError as error:  # its enquiries would wait
        versions = await desk.hub.db.read(scenario_versions.every, desk.tenant_id, of.connector)
        return show_page(desk, accounts, of, versions, text=older.text, problems=error.problems)
    await desk.hub.db.write(_saved, desk, of, older.text, None)
    return RedirectResponse(f"/scenarios?connector={of.connector}&done=back", status_code=303)


# -- reading and saving


async def accounts_of(desk: Desk) -> list[Installed]:
    """Return an account of each connected CRM: its names are those a scenario is read with."""
    return await desk.hub.db.read(one_of_each, desk.tenant_id)


def chosen(accounts: Sequence[Installed], connector: str) -> Installed:
    found = next((one for one in accounts if connector in ("", one.connector)), None)
    if found is None:
        raise NotHere
    return found


@lru_cache(maxsize=64)
def _starts(language: str, facts: str) -> dict[str, str]:
    """Return what the ready-made scenarios that fit an account are called, by their names: read once for an account."""
    found = {}
    for name, text in ready_made(language).items():
        try:
            found[name] = read_scenario(text, name, crm.facts_of(json.loads(facts))).name
        except ScenarioError:  # it speaks of what this account does not have
            continue
    return found


def text_in(told: object) -> str:
    return str(told or "").replace("\r\n", "\n")


def _days(told: object) -> int:
    return min(id_in(str(told or "")) or DAYS, dry_run_told.MOST_DAYS)


def _saved(tx: Tx, desk: Desk, of: Installed, text: str, based_on: str | None) -> bool:
    """Save a text; False when another was saved after the one it was written from (None: whichever that is)."""
    assert desk.who is not None
    if based_on is None:
        current = scenario_versions.live(tx, of.tenant_id, of.connector)
        based_on = str(current.version if current else 0)
    version = version_in(based_on)
    return version is not None and not publishing.publish(tx, desk.who, of.connector, text, version, desk.now).is_late


# -- the page


def show_page(
    desk: Desk,
    accounts: Sequence[Installed],
    of: Installed,
    versions: Sequence[SavedScenario],
    *,
    text: str,
    done: str = "",
    problems: Sequence[str] = (),
    made: DryRun | None = None,
    drafted: Rules | None = None,
    changed: Place | None = None,
    days: int = DAYS,
    is_late: bool = False,
    based_on: str = "",
) -> Response:
    """Show the page; ``drafted`` are the rules of ``text`` where it is not the one that runs."""
    saved = versions[0] if versions else None
    live = fitting(saved, of)
    rules = drafted or live
    return render(
        desk,
        "scenarios.html",
        status=422 if problems or is_late else 200,
        account=of,
        accounts=accounts,
        saved=saved,
        unfit=misfit(saved, of.facts) if saved else "",
        runs_on=saved is not None and runs_on(saved, of.fitted),
        matrix=_matrix(rules.scenario, live.scenario if live and drafted else None, changed) if rules else None,
        is_draft=drafted is not None,
        changed=changed,
        triggers=list(Trigger),
        states=list(CallerState),
        versions=list(_with_diffs(versions)),
        text=text,
        based_on=based_on or (saved.version if saved else 0),
        done=done if done in ("published", "back") else "",
        problems=problems,
        made=made,
        days=days,
        is_late=is_late,
        starts=_starts(desk.words.language, json.dumps(of.facts, sort_keys=True)),
        shown=_SHOWN,
        decided=decided,
    )


def read_draft(text: str, of: Installed) -> Rules | None:
    """Return the rules of a text that is not saved; None where it does not fit the account."""
    try:
        return Rules(read_scenario(text, FILE, crm.facts_of(of.facts)), 0)
    except ScenarioError:
        return None


def _matrix(scenario: Scenario, live: Scenario | None, changed: Place | None) -> Matrix:
    """Return the table of a scenario; of a draft with what is otherwise than in the one that runs."""
    cells, runs = _cells(scenario), _cells(live) if live else {}
    other = (
        {place for place in cells.keys() | runs.keys() if _does(cells, place) != _does(runs, place)} if live else set()
    )
    marked = frozenset(other | ({changed} if changed and not live else set()))
    there = cells.keys() | marked
    triggers = [one for one in Trigger if any(trigger is one for _, trigger in there)]
    return Matrix(triggers, [one for one in CallerState if any(state is one for state, _ in there)], cells, marked)


def _cells(scenario: Scenario) -> dict[Place, list[Rule]]:
    cells: dict[Place, list[Rule]] = {}
    for trigger, rule in every_rule(scenario):
        cells.setdefault((rule.state, trigger), []).append(rule)
    return cells


def _does(cells: Mapping[Place, Sequence[Rule]], place: Place) -> object:
    """Return what is done in a cell, whatever the numbers of its rules; None where it has none."""
    return {rule.result: rule.actions for rule in cells[place]} if place in cells else None


def _with_diffs(versions: Sequence[SavedScenario]) -> list[Version]:
    before: Sequence[Any] = [*versions[1:], None][: len(versions)]
    return [
        Version(one, _diff(older, one), is_live=one is versions[0]) for one, older in zip(versions, before, strict=True)
    ]


def _diff(older: SavedScenario | None, newer: SavedScenario) -> str:
    if older is None:
        return ""
    lines = unified_diff(older.text.splitlines(), newer.text.splitlines(), lineterm="", n=2)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++")))
