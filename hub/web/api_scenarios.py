"""Scenarios of the programming interface: read, checked, tried on what has been, and published."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.scenario import Scenario, ScenarioError, every_rule, read_scenario
from hub.dry_run import DAYS
from hub.hub import Hub
from hub.planning import misfit, one_of_each
from hub.store import crm, scenario_versions
from hub.store.crm import Installed
from hub.store.people import Who
from hub.store.publishing import Published, publish
from hub.store.scenario_versions import SavedScenario
from hub.web import dry_run_told
from hub.web.answers import Json, refused
from hub.web.api_door import Bad, Missing, guarded
from hub.web.dry_run_told import MOST_DAYS
from hub.web.given import id_in, version_in

_FILE = "scenario"  # what problems call the text of a request


async def _running(hub: Hub, who: Who, _request: Request) -> Response:
    accounts = await hub.db.read(one_of_each, who.tenant_id)
    saved = await hub.db.read(scenario_versions.of_all, who.tenant_id)
    return Json({"scenarios": [_of_account(of, saved.get(of.connector)) for of in accounts]})


async def _versions(hub: Hub, who: Who, request: Request) -> Response:
    of = await _account(hub, who, request)
    found = await hub.db.read(scenario_versions.every, who.tenant_id, of.connector)
    return Json({"versions": [_version(one, found[0]) for one in found]})


async def _version_text(hub: Hub, who: Who, request: Request) -> Response:
    of = await _account(hub, who, request)
    wanted = id_in(request.path_params["version"])
    found = await hub.db.read(scenario_versions.every, who.tenant_id, of.connector)
    one = next((saved for saved in found if saved.version == wanted), None)
    if one is None:
        there = ", ".join(str(saved.version) for saved in found) or "none"
        raise Missing(f"There is no such version of the scenario of {of.connector}; there are: {there}.")
    return Json({**_version(one, found[0]), "text": one.text})


async def _check(hub: Hub, who: Who, request: Request) -> Response:
    of = await _account(hub, who, request)
    text = await _text(request)
    try:
        read = _read(text, of)
    except ScenarioError as error:
        return Json({"fits": False, "rules": 0, "triggers": [], "problems": _problems(error.problems)})
    rules = len(list(every_rule(read)))
    return Json({"fits": True, "rules": rules, "triggers": list(read.rules), "problems": []})


async def _dry_run(hub: Hub, who: Who, request: Request) -> Response:
    of, days, since = await _account(hub, who, request), _days(request), _since(request, hub.clock.now())
    text = await _text(request)
    try:
        found = await hub.db.read(dry_run_told.tried, hub, of, text or None, _FILE, days, since)
    except ScenarioError as error:
        return _refused_text(request, "Nothing was tried", error.problems)
    if found is None:
        raise Bad(f"No scenario of {of.connector} runs that fits the account: send one as the body.")
    rules, made = found
    return Json(dry_run_told.plainly(made, rules))


async def _publish(hub: Hub, who: Who, request: Request) -> Response:
    of, based_on = await _account(hub, who, request), _based_on(request)
    text = await _text(request)
    try:
        _read(text, of)
    except ScenarioError as error:
        return _refused_text(request, "Nothing was saved", error.problems)
    made = await hub.db.write(publish, who, of.connector, text, based_on, hub.clock.now())
    if made.is_late:
        return refused(request, 409, _late(made))
    return Json({"version": made.version, "new": made.is_new})


# -- what is asked


async def _account(hub: Hub, who: Who, request: Request) -> Installed:
    accounts, connector = await hub.db.read(one_of_each, who.tenant_id), request.path_params["connector"]
    found = next((one for one in accounts if one.connector == connector), None)
    if found is None:
        connected = ", ".join(sorted(one.connector for one in accounts)) or "none yet"
        raise Missing(f"No CRM of this name is connected; connected: {connected}.")
    return found


async def _text(request: Request) -> str:
    """Return the text of the body, as the console keeps what it is given; raises ``Bad``."""
    try:
        return (await request.body()).decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Bad("The body is not a scenario in UTF-8.") from None


def _days(request: Request) -> int:
    days = id_in(request.query_params.get("days", str(DAYS)))
    if days is None or days > MOST_DAYS:
        raise Bad(f"The parameter days is a whole number from 1 to {MOST_DAYS}.")
    return days


def _since(request: Request, now: datetime) -> datetime | None:
    given = request.query_params.get("since")
    if given is None:
        return None
    try:
        since = datetime.fromisoformat(given).astimezone(UTC) if datetime.fromisoformat(given).tzinfo else None
    except (ValueError, OverflowError):
        since = None
    if since is None or not timedelta(0) <= now - since <= timedelta(days=MOST_DAYS):
        raise Bad(f"The parameter since is a moment like 2026-11-20T15:00:00Z, at most {MOST_DAYS} days ago.")
    return since


def _based_on(request: Request) -> int:
    version = version_in(request.query_params.get("based_on", ""))
    if version is None:
        raise Bad("The parameter based_on is the version that the text was written from, 0 where there was none.")
    return version


def _read(text: str, of: Installed) -> Scenario:
    return read_scenario(text, _FILE, crm.facts_of(of.facts))


# -- what is told


def _of_account(of: Installed, saved: SavedScenario | None) -> dict[str, Any]:
    told = {"connector": of.connector, "account": of.account, "version": None, "author": None, "saved_at": None}
    if saved is None:
        return {**told, "unfit": ""}
    now = {"version": saved.version, "author": saved.author, "saved_at": saved.created_at}
    return {**told, **now, "unfit": misfit(saved, of.facts)}


def _version(saved: SavedScenario, newest: SavedScenario) -> dict[str, Any]:
    told = {"version": saved.version, "author": saved.author, "saved_at": saved.created_at}
    return {**told, "runs": saved.version == newest.version}


def _problems(problems: Sequence[str]) -> list[dict[str, Any]]:
    """Return problems as ``scenario:LINE: what is wrong; allowed: a, b`` apart."""
    parted = (one.removeprefix(f"{_FILE}:").partition(": ") for one in problems)
    return [{"line": int(line), "problem": problem} for line, _, problem in parted]


def _refused_text(request: Request, what: str, problems: Sequence[str]) -> Response:
    sentence = f"{what}: something is wrong with the scenario."
    request_id = request.scope.get("request_id", "")
    return Json({"error": sentence, "request_id": request_id, "problems": _problems(problems)}, status_code=422)


def _late(made: Published) -> str:
    if made.running is None:
        return "Nothing was saved: there is no version yet. Send your text with based_on=0."
    runs = f"version {made.version} of {made.running.author} runs by now"
    return f"Nothing was saved: {runs}. Read it, and send your text with based_on={made.version}."


def routes() -> list[Route]:
    """Return the routes of scenarios."""
    one = "/api/v1/scenarios/{connector}"
    return [
        Route("/api/v1/scenarios", guarded(_running)),
        Route(f"{one}/versions", guarded(_versions)),
        Route(f"{one}/versions/{{version}}", guarded(_version_text)),
        Route(f"{one}/check", guarded(_check), methods=["POST"]),
        Route(f"{one}/dry-run", guarded(_dry_run), methods=["POST"]),
        Route(one, guarded(_publish), methods=["POST"]),
    ]
