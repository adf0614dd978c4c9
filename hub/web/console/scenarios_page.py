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
from hub.dry_run import DAYS, DryRun, dry_run
from hub.planning import Rules, fitting, misfit
from hub.store import crm, scenario_versions
from hub.store.crm import REMOVED, Installed
from hub.store.scenario_versions import SavedScenario
from hub.store.tx import Tx
from hub.web import decided
from hub.web.console.page import NotHere, form, page
from hub.web.console.session import form_of
from hub.web.console.shell import Desk, render
from hub.web.given import id_in

_MOST_DAYS = 366  # of a trial
_SHOWN = 50  # differences of a trial
_FILE = "scenario"  # what problems call the text of the page


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
    cells: Mapping[tuple[CallerState, Trigger], Sequence[Rule]]


@page
async def show(desk: Desk) -> Response:
    """Show the scenario of a connected CRM, and what can be done with it."""
    accounts = await _accounts(desk)
    if not accounts:
        return render(desk, "scenarios.html", account=None, accounts=())
    of = _chosen(accounts, desk.request.query_params.get("connector", ""))
    versions = await desk.hub.db.read(scenario_versions.every, desk.tenant_id, of.connector)
    told, start = desk.request.query_params.get("done", ""), desk.request.query_params.get("start", "")
    begun = ready_made(desk.words.language).get(start)
    text = begun or (versions[0].text if versions else "")
    return _page(desk, accounts, of, versions, text=text, done=told)


@form
async def try_out(desk: Desk) -> Response:
    """Try a text on what has been, and show what it would have done."""
    asked = await form_of(desk.request)
    accounts = await _accounts(desk)
    of = _chosen(accounts, str(asked.get("connector", "")))
    text, days = _text(asked.get("text")), _days(asked.get("days"))
    versions = await desk.hub.db.read(scenario_versions.every, desk.tenant_id, of.connector)
    try:
        tried = Rules(read_scenario(text, _FILE, crm.facts_of(of.facts)), 0)
    except ScenarioError as error:
        return _page(desk, accounts, of, versions, text=text, problems=error.problems, days=days)
    made = await desk.hub.db.read(_tried, desk, of, tried, versions[0] if versions else None, days)
    return _page(desk, accounts, of, versions, text=text, made=made, tried=tried, days=days)


@form
async def publish(desk: Desk) -> Response:
    """Let a text run from now on: refused while something is wrong with it, or when another was saved meanwhile."""
    asked = await form_of(desk.request)
    accounts = await _accounts(desk)
    of = _chosen(accounts, str(asked.get("connector", "")))
    text, based_on = _text(asked.get("text")), str(asked.get("based_on", ""))
    versions = await desk.hub.db.read(scenario_versions.every, desk.tenant_id, of.connector)
    try:
        read_scenario(text, _FILE, crm.facts_of(of.facts))
    except ScenarioError as error:
        return _page(desk, accounts, of, versions, text=text, problems=error.problems)
    saved = await desk.hub.db.write(_saved, desk, of, text, based_on)
    if not saved:
        return _page(desk, accounts, of, versions, text=text, is_late=True)
    return RedirectResponse(f"/scenarios?connector={of.connector}&done=published", status_code=303)


@form
async def go_back(desk: Desk) -> Response:
    """Let an older version run again, as a new one."""
    asked = await form_of(desk.request)
    of = _chosen(await _accounts(desk), str(asked.get("connector", "")))
    wanted = id_in(str(asked.get("version", ""))) or 0
    older = await desk.hub.db.read(scenario_versions.one, desk.tenant_id, of.connector, wanted)
    if older is None:
        raise NotHere
    await desk.hub.db.write(_saved, desk, of, older.text, None)
    return RedirectResponse(f"/scenarios?connector={of.connector}&done=back", status_code=303)


# -- reading and saving


async def _accounts(desk: Desk) -> list[Installed]:
    """Return an account of each connected CRM: its names are those a scenario is read with."""
    there = await desk.hub.db.read(crm.installations, desk.tenant_id)
    return list({one.connector: one for one in reversed(there) if one.status != REMOVED}.values())


def _chosen(accounts: Sequence[Installed], connector: str) -> Installed:
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


def _text(told: object) -> str:
    return str(told or "").replace("\r\n", "\n")


def _days(told: object) -> int:
    return min(id_in(str(told or "")) or DAYS, _MOST_DAYS)


def _tried(tx: Tx, desk: Desk, of: Installed, tried: Rules, saved: SavedScenario | None, days: int) -> DryRun:
    live = fitting(saved, of)
    return dry_run(
        tx, of, desk.hub.connectors[of.connector], tried, live, desk.now, desk.hub.vault, days, desk.hub.numbering
    )


def _saved(tx: Tx, desk: Desk, of: Installed, text: str, based_on: str | None) -> bool:
    assert desk.who is not None
    current = scenario_versions.live(tx, of.tenant_id, of.connector)
    if based_on is not None and based_on != str(current.version if current else 0):
        return False
    who = desk.who
    scenario_versions.save(tx, of.tenant_id, of.connector, text, who.email, desk.now, who.person_id)
    return True


# -- the page


def _page(
    desk: Desk,
    accounts: Sequence[Installed],
    of: Installed,
    versions: Sequence[SavedScenario],
    *,
    text: str,
    done: str = "",
    problems: Sequence[str] = (),
    made: DryRun | None = None,
    tried: Rules | None = None,
    days: int = DAYS,
    is_late: bool = False,
) -> Response:
    saved = versions[0] if versions else None
    rules = tried or fitting(saved, of)
    return render(
        desk,
        "scenarios.html",
        status=422 if problems or is_late else 200,
        account=of,
        accounts=accounts,
        saved=saved,
        unfit=misfit(saved, of.facts) if saved else "",
        matrix=_matrix(rules.scenario) if rules else None,
        versions=list(_with_diffs(versions)),
        text=text,
        done=done if done in ("published", "back") else "",
        problems=problems,
        made=made,
        days=days,
        is_late=is_late,
        starts=_starts(desk.words.language, json.dumps(of.facts, sort_keys=True)),
        shown=_SHOWN,
        decided=decided,
    )


def _matrix(scenario: Scenario) -> Matrix:
    cells: dict[tuple[CallerState, Trigger], list[Rule]] = {}
    for trigger, rule in every_rule(scenario):
        cells.setdefault((rule.state, trigger), []).append(rule)
    triggers = [one for one in Trigger if one in scenario.rules]
    return Matrix(triggers, [one for one in CallerState if any((one, t) in cells for t in triggers)], cells)


def _with_diffs(versions: Sequence[SavedScenario]) -> list[Version]:
    before: Sequence[Any] = [*versions[1:], None]
    return [
        Version(one, _diff(older, one), is_live=one is versions[0]) for one, older in zip(versions, before, strict=True)
    ]


def _diff(older: SavedScenario | None, newer: SavedScenario) -> str:
    if older is None:
        return ""
    lines = unified_diff(older.text.splitlines(), newer.text.splitlines(), lineterm="", n=2)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++")))
