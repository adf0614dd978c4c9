"""Law 10: what the code names stands in the documentation, and what the documentation shows is what the code does.

``python -m tests.house.test_docs`` prints the capability table anew into docs/capabilities.md.
"""

import json
import os
import re
import shlex
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import httpx
import pytest
import typer.main
import yaml
from pydantic import BaseModel
from starlette.routing import Mount, Route

from connectors import scenario as scenarios
from connectors import scenario_actions, scenario_people, scenario_reader
from connectors.protocol import Can, Connector, Facts, Limits, Pipeline, Stage, Status, Why
from connectors.registry import CONNECTORS
from connectors.scenario import CallerState, Mode, Result, Trigger
from connectors.wording import PLACEHOLDERS
from hub.__main__ import cli
from hub.app import build, web_app
from hub.delivery.retry import State
from hub.gaps import Account, Found, Gap
from hub.inbox import look
from hub.reconcile import reconcile
from hub.reconcile_crm import Unchecked
from hub.report import Line
from hub.settings import AppSettings, Settings
from hub.setup import apply
from hub.setup_file import SetupFile, read_setup
from hub.store import reconciliations
from hub.store.ledger import Kind
from hub.store.people import tenants
from hub.web import telling
from hub.web.api import GOAL
from hub.web.words.en import EN
from hub.web.words.ru import RU
from sandbox.__main__ import VENDORS
from tests.house.source import ROOT
from tests.proofs import results
from tracking_core.call import CallStatus
from tracking_core.channel import Channel
from tracking_core.match import MatchReason
from tracking_core.telephony import ADAPTERS, mango

DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *DOCS.rglob("*.md")])
SCENARIO_PAGES = ("scenarios.md", "ru/scenarios.md")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def missing(names: Iterable[str], text: str) -> list[str]:
    """Return the names that do not stand in a text as `name`."""
    return [name for name in names if f"`{name}`" not in text]


def rows(text: str) -> dict[str, list[str]]:
    """Return the cells of every table row that begins with `name`, by that name."""
    lines = (re.fullmatch(r"\| `([^`]+)` \|(.*)\|", line) for line in text.splitlines())
    return {line[1]: [cell.strip() for cell in line[2].split("|")] for line in lines if line}


def example(name: str, kind: str) -> str:
    """Return the one example of a page that is marked with a kind, as in ```json event."""
    (found,) = re.findall(rf"^( *)```\w+ {re.escape(kind)}\n(.*?)^\1```$", page(name), re.DOTALL | re.MULTILINE)
    return found[1]


def test_a_name_that_is_not_documented_is_missed() -> None:
    assert missing(["HUB_DATA_DIR", "HUB_NOT_THERE"], page("settings.md")) == ["HUB_NOT_THERE"]


# -- settings


def default_of(name: str) -> str:
    """Return the default of a setting as the table writes it."""
    default = Settings.model_fields[name].get_default(call_default_factory=True)
    if name == "keys":
        default = default.get_secret_value()
    shown = json.dumps(default) if isinstance(default, dict | tuple) else str(default)
    return "(empty)" if default in ("", None) else f"`{shown}`"


def test_every_setting_has_its_row_with_its_default_and_no_row_is_of_a_setting_that_is_gone() -> None:
    told = {name: cells[1] for name, cells in rows(page("settings.md")).items()}
    assert told == {f"HUB_{name.upper()}": default_of(name) for name in Settings.model_fields}


def test_every_part_of_an_app_registration_is_named() -> None:
    assert missing(AppSettings.model_fields, page("settings.md")) == []


def test_no_page_speaks_of_a_setting_that_is_not_there() -> None:
    known = {f"HUB_{name.upper()}" for name in Settings.model_fields} | {"HUB_CALL_ID", "HUB_"}
    spoken = {(path.name, name) for path in PAGES for name in re.findall(r"\bHUB_[A-Z_]*", path.read_text("utf-8"))}
    assert [pair for pair in spoken if pair[1] not in known] == []


def test_the_examples_of_settings_are_read_as_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)
    given = dict(line.split("=", 1) for line in example("settings.md", "settings").splitlines())
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    read = Settings()
    assert given.keys() == {f"HUB_{name.upper()}" for name in Settings.model_fields}
    assert (read.readback_s, read.visits_per_minute, read.trusted_proxies) == (30, 1_200, ("127.0.0.1",))
    assert read.apps.keys() <= CONNECTORS.keys()


# -- the set-up file


def parts(model: type[BaseModel], before: str = "") -> Iterator[tuple[str, bool]]:
    """Yield every key of a set-up model, with whether it is required."""
    for name, field in model.model_fields.items():
        yield f"{before}{name}", field.is_required()
        for inner in (field.annotation, *get_args(field.annotation)):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from parts(inner, f"{before}{name}.")


def test_every_key_of_the_set_up_file_has_its_row_and_says_whether_it_is_required() -> None:
    told = {name: cells[0] == "yes" for name, cells in rows(page("setup-file.md")).items()}
    assert told == dict(parts(SetupFile))


def keys_in(written: Any, before: str = "") -> set[str]:
    """Return the dotted keys a YAML example uses."""
    if isinstance(written, list):
        return set().union(*(keys_in(one, before) for one in written))
    if not isinstance(written, dict):
        return set()
    names = {f"{before}{key}" for key in written}
    return names.union(*(keys_in(value, f"{before}{key}.") for key, value in written.items()))


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The example of the set-up file with the example of a scenario beside it, as the real reader reads them."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "setup.yaml").write_text(example("setup-file.md", "setup"), encoding="utf-8")
    (folder / "scenario.yaml").write_text(example("scenarios.md", "scenario"), encoding="utf-8")
    return read_setup(folder / "setup.yaml")


def test_the_example_of_the_set_up_file_is_read(set_up: Any) -> None:
    asked, texts = set_up
    assert (len(asked.sites), len(asked.telephony), list(texts)) == (1, 2, ["amocrm"])


def test_the_example_of_the_set_up_file_shows_every_key() -> None:
    used = keys_in(yaml.safe_load(example("setup-file.md", "setup")))
    assert [key for key, _ in parts(SetupFile) if key not in used] == []


# -- scenarios

SCENARIO_WORDS = sorted(
    {
        *scenario_reader._TOP,
        *scenario_actions._DEAL,
        *scenario_actions._ACTIONS,
        *scenario_actions._MOVE,
        *scenario_actions._NOTE,
        *scenario_people._WORDS,
        *scenario_people._WAYS,
        *Mode,
        *Trigger,
        *CallerState,
        *Result,
        "text",
        "due_minutes",
    }
)


@pytest.mark.parametrize("name", SCENARIO_PAGES)
def test_every_word_and_placeholder_of_a_scenario_is_explained(name: str) -> None:
    assert missing([*SCENARIO_WORDS, *(f"{{{one}}}" for one in PLACEHOLDERS)], page(name)) == []


@pytest.mark.parametrize("name", SCENARIO_PAGES)
def test_no_placeholder_is_explained_that_is_not_there(name: str) -> None:
    told = set(re.findall(r"`\{([a-z_]+)\}`", page(name)))
    assert told == set(PLACEHOLDERS)


@pytest.mark.parametrize("name", SCENARIO_PAGES)
def test_the_example_of_a_scenario_uses_every_word_and_placeholder(name: str) -> None:
    text = example(name, "scenario")
    unused = [word for word in SCENARIO_WORDS if not re.search(rf"\b{word}\b", text)]
    assert unused + [one for one in PLACEHOLDERS if f"{{{one}}}" not in text] == []


@pytest.mark.parametrize(
    ("name", "pipeline", "stage", "next_stage", "people"),
    [
        ("scenarios.md", "Sales", "First contact", "In work", ("Ivan Petrov", "Maria Orlova")),
        ("ru/scenarios.md", "Продажи", "Первичный контакт", "В работе", ("Иван Петров", "Мария Орлова")),
    ],
)
def test_the_example_of_a_scenario_fits_an_account(
    name: str, pipeline: str, stage: str, next_stage: str, people: Sequence[str]
) -> None:
    stages = (Stage("70", stage, "open"), Stage("71", next_stage, "open"), Stage("142", "Won", "won"))
    first = Pipeline("7", pipeline, stages)
    facts = Facts(
        "1",
        "Romashka",
        "RUB",
        (first,),
        dict(zip("56", people, strict=True)),
        dict.fromkeys(("UTM_SOURCE", "UTM_CAMPAIGN", "UTM_CONTENT", "UTM_TERM"), "610933"),
    )
    read = scenarios.read_scenario(example(name, "scenario"), name, facts)
    assert scenarios.facts_needed(read).stages == {"70", "71"}
    assert set(read.rules) == set(Trigger)
    assert {rule.state for rules in read.rules.values() for rule in rules} == set(CallerState)
    assert {rule.result for rules in read.rules.values() for rule in rules} == set(Result)


def test_an_example_with_a_misspelt_word_would_be_refused() -> None:
    misspelt = example("scenarios.md", "scenario").replace("ended:", "endd:", 1)
    with pytest.raises(scenarios.ScenarioError, match="did you mean ended"):
        scenarios.read_scenario(misspelt, "scenarios.md", None)


# -- capabilities

_BETWEEN = re.compile(r"(<!-- capabilities: begin -->\n).*?(<!-- capabilities: end -->)", re.DOTALL)


def capability_table(connectors: Iterable[Connector]) -> str:
    """Return the table of docs/capabilities.md: a column for each connector."""
    asked = list(connectors)
    told = [one.manifest for one in asked]
    lines = [["", *(one.title for one in told)], ["---"] * (len(told) + 1)]
    lines += [[f"`{can}`", *(_can(one, can) for one in asked)] for can in Can]
    lines += [
        ["kind", *(one.kind for one in told)],
        ["how one effect stays one", *(f"`{one.idempotency}`" for one in told)],
        ["deliveries in one batch, at most", *(str(one.limits.batch) for one in told)],
        ["requests, at most", *(_rate(one.limits) for one in told)],
        ["a creating request may take", *(f"{one.limits.timeout.total_seconds():g} s" for one in told)],
        ["its search may lag by", *(f"{one.limits.search_lag.total_seconds():g} s" for one in told)],
        ["standing", *(f"`{one.standing}`" for one in told)],
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _can(connector: Connector, can: Can) -> str:
    if can not in connector.manifest.can:
        return "no"
    caveat = connector.manifest.can[can]
    return f"yes: {telling.sentence(connector, caveat, 'en').what}" if caveat else "yes"


def _rate(limits: Limits) -> str:
    if limits.window:
        return f"{limits.window} in any second"
    return f"{limits.per_second:g} in a second, bursts of {limits.burst}"


def with_table(text: str, table: str) -> str:
    """Return the page with its table replaced."""
    return _BETWEEN.sub(lambda found: found[1] + table + found[2], text)


def test_the_capability_table_is_the_manifests() -> None:
    text = page("capabilities.md")
    table = capability_table(CONNECTORS.values())
    assert text == with_table(text, table), "run: python -m tests.house.test_docs"


def test_every_capability_is_explained_below_its_table() -> None:
    below = page("capabilities.md").split("<!-- capabilities: end -->")[1]
    assert missing(Can, below) == []


# -- proofs


def test_the_table_of_the_proofs_is_made_of_their_lines() -> None:
    text = page("reliability.md")
    assert text == results.in_page(text, results.table(results.kept())), "run: python -m tests.proofs.results"


def test_no_proof_that_is_told_of_failed() -> None:
    assert [line["test"] for line in results.kept() if not line["passed"]] == []


def test_what_a_test_told_before_makes_way_for_what_it_tells_now(tmp_path: Path) -> None:
    path = tmp_path / "proofs.jsonl"
    for calls in (1, 2):
        results.keep([{"test": "a", "calls": calls}, {"test": "a", "calls": 9}], "a", path)
        results.keep([{"test": "b", "calls": calls}], "b", path)
    assert [(line["test"], line["calls"]) for line in results.kept(path)] == [("a", 2), ("a", 9), ("b", 2)]


# -- outcomes


def test_every_state_of_a_delivery_is_explained_in_the_words_of_the_console() -> None:
    told = rows(page("outcomes.md").split("## What one try came to")[0])
    assert {name: cells[:2] for name, cells in told.items()} == {s: [EN[f"state.{s}"], RU[f"state.{s}"]] for s in State}


def test_every_status_is_explained_in_the_words_of_the_console() -> None:
    told = rows(page("outcomes.md").split("## What one try came to")[1].split("## Why")[0])
    assert {name: cells[:2] for name, cells in told.items()} == {s: [EN[f"try.{s}"], RU[f"try.{s}"]] for s in Status}


def test_every_why_is_explained_in_the_words_of_the_console_and_says_what_to_do() -> None:
    told = rows(page("outcomes.md").split("## Why")[1].split("## How sure")[0])
    shown = {why: [EN[f"outcome_why.{why}"], RU[f"outcome_why.{why}"]] for why in Why}
    assert {name: cells[:2] for name, cells in told.items()} == shown
    assert all(cells[-1] for cells in told.values())


def test_every_reason_of_a_match_is_explained() -> None:
    assert set(rows(page("outcomes.md").split("## How sure")[1])) == set(MatchReason)


# -- the command line


def verbs(command: Any, path: tuple[str, ...] = ("cthub",)) -> Iterator[tuple[str, set[str]]]:
    """Yield every verb of the command line with its options."""
    if getattr(command, "commands", None):
        for name, inner in command.commands.items():
            yield from verbs(inner, (*path, name))
        return
    options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    yield " ".join(path), {option for option in options if option.startswith("--")}


def passed_on(path: str) -> set[str]:
    """Return the options of a command that the command line only passes on, as its source names them."""
    return set(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', (ROOT / path).read_text(encoding="utf-8")))


def known_verbs() -> Mapping[str, set[str]]:
    told = dict(verbs(typer.main.get_command(cli)))
    told["cthub demo"] |= passed_on("sandbox/demo/__main__.py")
    for vendor in VENDORS:
        told["cthub sandbox"] |= passed_on(f"sandbox/{vendor}/cli.py")
    return told


def test_every_verb_has_its_row_and_no_row_is_of_a_verb_that_is_gone() -> None:
    assert set(rows(page("command-line.md"))) == set(known_verbs())


def test_every_option_is_explained() -> None:
    text = page("command-line.md").split("## Options")[1]
    options = set().union(*known_verbs().values()) - {"--worker"}  # what is meant unless --no-worker
    assert [option for option in sorted(options) if not re.search(rf"`{option}[` ]", text)] == []


def test_every_verb_has_an_example_with_options_it_knows() -> None:
    shown = set()
    for line in example("command-line.md", "cli").splitlines():
        verb = max((verb for verb in known_verbs() if f"{line} ".startswith(f"{verb} ")), key=len, default=line)
        shown.add(verb)
        unknown = {word for word in shlex.split(line) if word.startswith("--")} - known_verbs().get(verb, set())
        assert not unknown, line
    assert shown == set(known_verbs())


def test_every_sandbox_is_named() -> None:
    assert [vendor for vendor in VENDORS if f"cthub sandbox {vendor}" not in page("command-line.md")] == []


# -- interfaces


@pytest.fixture(scope="module")
def house(set_up: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A hub set up by the documentation's own example, at the documentation's own moment."""
    folder = tmp_path_factory.mktemp("hub")
    (folder / "clock").write_bytes(struct.pack("<d", NOW.timestamp()))
    url = f"sqlite:///{folder / 'hub.sqlite3'}"
    hub = build(Settings(data_dir=folder, database_url=url, clock_file=folder / "clock", keys="", apps={}))
    applied = hub.db.write_now(apply, *set_up, NOW, hub.vault)
    yield SimpleNamespace(hub=hub, app=web_app(hub, works=False), applied=applied)
    hub.db.stop()


@pytest.fixture
async def client(house: Any) -> Any:
    headers = {"user-agent": BROWSER, "authorization": f"Bearer {house.applied.api_token}"}
    transport = httpx.ASGITransport(house.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test", headers=headers) as made:
        yield made


def shape(told: Any) -> Any:
    """Return which keys an answer has, all the way down; of a list, those of its first."""
    if isinstance(told, dict):
        return {key: shape(value) for key, value in told.items()}
    return [shape(told[0])] if isinstance(told, list) and told else None


def doors(app: Any) -> set[str]:
    """Return METHOD /path of every route, and /path of what is mounted."""
    found = set()
    for route in app.routes:
        if isinstance(route, Mount):
            found.add(route.path)
        elif isinstance(route, Route):
            path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
            methods = (
                {"POST"} if path.startswith("/telephony/{token}") else route.methods or {"GET"}
            )  # the rest it refuses
            found |= {f"{method} {path}" for method in methods - {"HEAD"}}
    return found


def test_every_route_is_documented_and_no_documented_route_is_gone(house: Any) -> None:
    told = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE|OPTIONS) /[^`?\s]*|/static)`", page("api.md")))
    assert told == doors(house.app)


async def test_the_page_scripts_door_answers_as_documented(client: httpx.AsyncClient, house: Any) -> None:
    asked = json.loads(example("api.md", "dni-request")) | {"site": house.applied.sites[0]["key"]}
    answer = await client.post("/dni/v1/visit", json=asked)
    shown = json.loads(example("api.md", "dni-answer"))
    assert shape(answer.json()) == shape(shown)
    constant = ("visitor", "numbers", "hold_s", "hb")
    assert {name: answer.json()[name] for name in constant} == {name: shown[name] for name in constant}
    his = {"site": asked["site"], "visitor": asked["visitor"]}
    assert (await client.post("/dni/v1/hb", json=his)).status_code == 204
    told = json.loads(example("api.md", "dni-event")) | his | {"visit": answer.json()["visit"]}
    assert (await client.post("/dni/v1/event", json=told)).status_code == 204


def signed_event(secret: str) -> tuple[dict[str, str], bytes]:
    """Return the documented event, signed by the documented code at the documentation's moment."""
    names: dict[str, Any] = {}
    exec(example("telephony.md", "signing"), names)
    names["time"] = SimpleNamespace(time=NOW.timestamp)
    headers, body = names["signed"](secret, json.loads(example("telephony.md", "event")), "m-1")
    return headers, body


async def test_a_call_event_signed_by_the_documented_code_is_accepted(
    client: httpx.AsyncClient, house: Any, set_up: Any
) -> None:
    account = set_up[0].telephony[1]
    headers, body = signed_event(account.secrets["secret"])
    path = next(one["path"] for one in house.applied.telephony if one["name"] == account.name)
    assert (await client.post(path, content=body, headers=headers)).json() == {"accepted": 1, "new": 1}
    assert (await client.post(path, content=body, headers=headers)).json() == {"accepted": 1, "new": 0}
    forged = await client.post(path, content=body + b" ", headers=headers)
    assert forged.status_code == 401
    assert (await client.put(path, content=body, headers=headers)).status_code == 405


async def test_calls_are_told_as_documented(client: httpx.AsyncClient, house: Any, set_up: Any) -> None:
    account = set_up[0].telephony[1]
    headers, body = signed_event(account.secrets["secret"])
    path = next(one["path"] for one in house.applied.telephony if one["name"] == account.name)
    await client.post(path, content=body, headers=headers)
    await house.hub.db.write(look, NOW, house.hub.vault)
    answer = (await client.get("/api/v1/calls", params={"after": 0})).json()
    shown = json.loads(example("api.md", "call-answer"))
    deliveries = [call.pop("deliveries") for call in (*shown["calls"], *answer["calls"])]
    assert deliveries[1] == []  # no CRM is connected
    assert shape(answer) == shape(shown)
    constant = ("caller_masked", "dialled", "qualified_why", "started_at", "talk_s", "wait_s")
    told, call = shown["calls"][0], answer["calls"][0]
    assert {name: datetime.fromisoformat(call[name]) if name == "started_at" else call[name] for name in constant} == {
        name: datetime.fromisoformat(told[name]) if name == "started_at" else told[name] for name in constant
    }


def test_goals_are_told_as_documented() -> None:
    (goal,) = json.loads(example("api.md", "goals-answer"))["goals"]
    assert list(goal) == list(GOAL)


def test_deliveries_of_a_call_are_told_as_documented() -> None:
    from hub.store.enquiry_rows import DeliveryLine

    (call,) = json.loads(example("api.md", "call-answer"))["calls"]
    assert list(call["deliveries"][0]) == list(DeliveryLine.__slots__)


async def test_the_report_and_the_spend_are_taken_and_told_as_documented(client: httpx.AsyncClient, house: Any) -> None:
    key = house.applied.sites[0]["key"]
    spent = await client.post("/api/v1/spend", params={"site": key}, content=example("api.md", "spend"))
    assert spent.json() == {"rows": 2}
    answer = await client.get("/api/v1/report/roi", params={"from": "2026-11-01", "to": "2026-11-30"})
    shown = json.loads(example("api.md", "roi-answer"))
    assert shape(answer.json()) == shape(shown)
    assert list(shown["total"]) == list(Line.__slots__)


async def test_where_a_call_goes_is_answered_as_documented(client: httpx.AsyncClient, house: Any) -> None:
    token = house.applied.telephony[0]["path"].rpartition("/")[2]
    answer = await client.get(f"/telephony/v1/route/{token}", params={"to": "8 (495) 111-00-04"})
    assert answer.json() == json.loads(example("telephony.md", "route-answer"))


async def test_what_the_status_tells_is_named(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/v1/status")).json()
    assert missing(answer, page("api.md")) == []


async def test_a_refusal_has_the_documented_shape(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/report/roi")
    (shown,) = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", page("api.md"), re.DOTALL)]
    assert shape(answer.json()) == shape(shown)
    assert answer.json()["error"] == shown["error"]


def test_every_channel_and_every_status_of_a_call_is_named() -> None:
    assert missing([*Channel, *CallStatus], page("api.md")) == []


def test_every_kind_of_entry_of_the_ledger_is_explained() -> None:
    assert missing(Kind, page("security.md")) == []


def test_every_gap_and_every_reason_not_to_ask_is_explained() -> None:
    assert set(rows(page("reconciliation.md").split("## Gaps")[1])) == {*Gap, *Unchecked}


async def test_a_reconciliation_is_told_as_documented(client: httpx.AsyncClient, house: Any) -> None:
    hub, (tenant_id,) = house.hub, await house.hub.db.read(tenants)
    account = asdict(Account(1, "amocrm", "Romashka"))
    made = await reconcile(hub.db, tenant_id, NOW, NOW, hub.vault, None, Unchecked.SKIPPED)
    found = asdict(Found(Gap.GONE, NOW))
    assert await hub.db.write(reconciliations.take, NOW + timedelta(days=1), NOW) == tenant_id
    kept = json.dumps(
        {**made, "accounts": [account], "gaps": [{**found, "at": NOW.isoformat()}], "gap_counts": {"gone": 1}}
    )
    await hub.db.write(reconciliations.save, tenant_id, NOW + timedelta(days=1), kept)
    answer = (await client.get("/api/v1/reconciliation")).json()
    assert shape(answer) == shape(json.loads(example("api.md", "reconciliation-answer")))
    counted = [*made["received"], *account]
    assert missing(set(counted) - {"installation", "connector", "name", "detail"}, page("reconciliation.md")) == []


async def test_the_ledger_is_told_as_documented(client: httpx.AsyncClient, house: Any) -> None:
    told = json.loads(example("api.md", "enquiry")) | {"site": house.applied.sites[0]["key"]}
    enquiry = (await client.post("/api/v1/enquiries", json=told)).json()["enquiry"]
    entry = (await client.get(f"/api/v1/enquiries/{enquiry}/ledger")).json()["entries"][0]
    (shown,) = json.loads(example("api.md", "ledger-answer"))["entries"]
    assert list(entry) == list(shown)


# -- telephony


def test_every_adapter_and_its_secrets_are_named() -> None:
    names = [name for adapter in ADAPTERS.values() for name in (adapter.name, *adapter.secrets_needed)]
    assert missing(names, page("telephony.md")) == []


def test_every_ending_that_becomes_a_fact_of_a_call_is_named() -> None:
    telling = [ending for ending, read in mango._READERS.items() if read is not mango._nothing]
    assert missing(telling, page("telephony.md")) == []


def test_every_field_of_a_call_event_is_named() -> None:
    source = (ROOT / "tracking_core/telephony/generic.py").read_text(encoding="utf-8")
    fields = set(re.findall(r'\(fields, "(\w+)"', source)) | {"at", "recording_url"}
    assert missing(sorted(fields), page("telephony.md")) == []


# -- the pages themselves

_LINK = re.compile(r"\]\(([^)\s]+)\)")
FOREIGN = re.compile(
    r"(?<![\w.])/(?:work|home|root|tmp|mnt|Users)/|\bpypi\b|\bsimple/|index-url|site-packages|localhost:\d",
    re.IGNORECASE,
)


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as they are made of them."""
    heads = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def links(path: Path, text: str) -> Iterator[tuple[str, Path, str]]:
    """Yield each link of a page into the project: as written, its file and its anchor."""
    for written in _LINK.findall(text):
        if "://" not in written:
            file, _, anchor = written.partition("#")
            yield written, (path.parent / file).resolve() if file else path, anchor


def broken(path: Path, text: str) -> list[str]:
    """Return the links of a page that lead nowhere."""
    return [
        f"{path.relative_to(ROOT)}: {written}"
        for written, file, anchor in links(path, text)
        if not file.exists() or (anchor and anchor not in anchors(file.read_text(encoding="utf-8")))
    ]


def test_every_link_leads_somewhere() -> None:
    assert [one for path in PAGES for one in broken(path, path.read_text(encoding="utf-8"))] == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    assert broken(DOCS / "api.md", "[a](telephony.md) [b](nowhere.md) [c](outcomes.md#no-such-head)") == [
        "docs/api.md: nowhere.md",
        "docs/api.md: outcomes.md#no-such-head",
    ]


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        path = waiting.pop()
        reached.add(path)
        found = {file for _, file, _ in links(path, path.read_text(encoding="utf-8")) if file.suffix == ".md"}
        waiting += [file for file in found if file.exists() and file not in reached]
    assert [path.name for path in PAGES if path not in reached] == []


def test_every_named_file_of_the_project_is_there() -> None:
    named = re.compile(r"`((?:hub|connectors|tracking_core|sandbox|tests|docs)/[\w/.]+\.\w+)`")
    gone = [
        f"{path.name}: {name}"
        for path in PAGES
        for name in named.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    ]
    assert gone == []


def test_no_page_names_a_machine_or_a_package_index() -> None:
    found = [f"{path.name}: {hit[0]}" for path in PAGES for hit in FOREIGN.finditer(path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize("text", ["see /home/ann/hub", "pip install -i https://pypi.example/simple/"])
def test_a_machine_or_a_package_index_is_found(text: str) -> None:
    assert FOREIGN.search(text)


def test_every_line_of_the_changelog_begins_with_the_part_it_is_about() -> None:
    lines = [line for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if line.startswith("* ")]
    assert lines
    assert [line for line in lines if not re.match(r"\* \*\*\w+\*\*: ", line)] == []


def test_decisions_are_numbered_without_a_gap_and_say_context_decision_and_consequences() -> None:
    records = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in records] == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]} ")
        sections = ("**Context.**", "**Decision.**", "**Consequences.**")
        assert [part for part in sections if part not in text] == [], path.name


if __name__ == "__main__":
    target = DOCS / "capabilities.md"
    printed = capability_table(CONNECTORS.values())
    target.write_text(with_table(target.read_text(encoding="utf-8"), printed), encoding="utf-8")
