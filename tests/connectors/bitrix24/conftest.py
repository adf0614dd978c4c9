"""A mocked portal ``romashka.bitrix24.ru`` that answers batches command by command, by rules a test names."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest
import respx

from connectors.bitrix24 import connector
from connectors.bitrix24.mappings import ORIGINATOR
from connectors.contract import MARKER
from connectors.http import Http
from connectors.protocol import App, Grant

FIXTURES = Path(__file__).parent / "fixtures"
HOST = "romashka.bitrix24.ru"
NOW = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
CLOCK = 1767258010.5
ACCOUNT = "0f" * 16


def load(name):
    return json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))


@dataclass(frozen=True)
class Fault:
    """A command that is refused."""

    code: str
    text: str = ""


@dataclass(frozen=True)
class Asked:
    """A command of a batch: its key, method and parameters by their names with brackets."""

    key: str
    method: str
    params: dict = field(hash=False)

    def __getitem__(self, name):
        return self.params.get(name)


def made(id_, **more):
    """Answer a creation with the card that was asked for."""

    def give(asked):
        told = {
            name[7:-1]: value
            for name, value in asked.params.items()
            if name.startswith("fields[") and name.count("[") == 1
        }
        return {"item": {"assignedById": 6, **told, "id": id_, **more}}

    return give


def card(id_, **more):
    """Return a deal as a list tells it."""
    return {
        "id": id_,
        "categoryId": 0,
        "stageId": "NEW",
        "stageSemanticId": "P",
        "closed": "N",
        "contactId": 44,
        "assignedById": 6,
        "originatorId": None,
        "originId": None,
        "createdTime": "2025-12-20T12:00:00+03:00",
        "updatedTime": "2026-01-01T12:00:00+03:00",
        "movedTime": "2026-01-01T12:00:00+03:00",
        **more,
    }


def ours(id_, **more):
    """Return a card that the delivery of the suite made."""
    mark = {"originatorId": ORIGINATOR, "originId": MARKER, "createdTime": "2026-01-01T12:00:11+03:00"}
    return card(id_, **{**mark, **more})


def resolved(asked, results):
    """Return a command with its references to earlier ones of its batch; one to nothing is empty."""

    def meant(value):
        if not value.startswith("$result["):
            return value
        found = results
        for step in value[8:-1].split("]["):
            if isinstance(found, list) and step.isdigit() and int(step) < len(found):
                found = found[int(step)]
            else:
                found = found.get(step, "") if isinstance(found, dict) else ""
        return str(found)

    return Asked(asked.key, asked.method, {name: meant(value) for name, value in asked.params.items()})


@dataclass
class Portal:
    """The rules of one portal; a command that no rule names is a failing test."""

    router: respx.MockRouter
    rules: list = field(default_factory=list)
    batches: list = field(default_factory=list)  # of lists of commands
    bodies: list = field(default_factory=list)
    whole: list = field(default_factory=list)  # answers to whole requests, by number
    clock: float = CLOCK
    took: float = 0.0  # seconds over each batch, 0 untold

    def on(self, method, *results, where: Callable = lambda asked: True):
        """Answer a method with these results in turn, the last one from then on; the newest rule decides."""
        self.rules.insert(0, (method, where, list(results)))

    def instead(self, number, answer):
        """Answer the ``number``-th request, counted from zero, with this in place of results."""
        self.whole.append((number, answer))

    @property
    def asked(self):
        return [one for batch in self.batches for one in batch]

    def of(self, method):
        """Return the commands of a method that were asked."""
        return [one for one in self.asked if one.method == method]

    def serve(self, request):
        body = json.loads(request.content)
        self.bodies.append(body)
        commands = []
        for key, text in body["cmd"].items():
            method, _, query = text.partition("?")
            commands.append(Asked(key, method, dict(parse_qsl(query, keep_blank_values=True))))
        self.batches.append(commands)
        for number, answer in self.whole:
            if number == len(self.batches) - 1:
                if isinstance(answer, Exception):
                    raise answer
                return answer
        return httpx.Response(200, json=self.results(commands, body["halt"]))

    def results(self, commands, halt):
        result, errors, following = {}, {}, {}
        for asked in commands:
            found = self.result(resolved(asked, result))
            if isinstance(found, Fault):
                errors[asked.key] = {"error": found.code, "error_description": found.text}
                if halt:
                    break
            elif found is not None:
                result[asked.key] = found
        inner = {"result": result or [], "result_error": errors or [], "result_next": following or []}
        return {
            "result": inner,
            "time": {"start": self.clock, "duration": self.took, "operating_reset_at": int(self.clock) + 240},
        }

    def result(self, asked):
        for method, where, results in self.rules:
            if method == asked.method and where(asked):
                found = results.pop(0) if len(results) > 1 else results[0]
                return found(asked) if callable(found) else found
        raise AssertionError(f"nothing is said of {asked}")


@pytest.fixture(name="load")
def load_fixture():
    return load


@pytest.fixture
def portal():
    """A portal that knows nobody and makes what is asked."""
    with respx.mock(assert_all_called=False) as router:
        one = Portal(router)
        router.post(f"https://{HOST}/rest/batch").mock(side_effect=one.serve)
        one.on("crm.duplicate.findbycomm", [])
        one.on("crm.item.list", {"items": []})
        one.on("crm.item.add", made(342))
        one.on("crm.item.add", made(44), where=lambda asked: asked["entityTypeId"] == "3")
        one.on("crm.activity.add", 7943)
        one.on("crm.timeline.comment.add", 501, 502)
        one.on("crm.activity.todo.add", {"id": 999})
        one.on("crm.timeline.comment.list", [])
        one.on("crm.activity.list", [])
        one.on("crm.stagehistory.list", {"items": []})
        yield one


@pytest.fixture
def known(portal):
    """A portal where the caller is contact 44 with the open deal 340 and a lost one."""
    deals = [card(340, stageId="PREPARATION"), card(339, stageId="LOSE", stageSemanticId="F", closed="Y")]
    portal.on("crm.duplicate.findbycomm", {"CONTACT": [44]}, where=lambda asked: asked["entity_type"] == "CONTACT")
    portal.on(
        "crm.item.list",
        {"items": deals},
        where=lambda asked: asked["filter[@contactId][0]"] == "44" and asked["entityTypeId"] == "2",
    )
    return portal


@pytest.fixture
def app():
    return App("app.1", "client-s3cret", "https://hub.example/oauth/bitrix24/callback")


@pytest.fixture
def grant():
    return Grant(ACCOUNT, HOST, "access-t0ken", "refresh-t0ken", NOW + timedelta(hours=1))


@pytest.fixture
def http():
    return Http(allowed=connector.manifest.hosts)


SETTINGS = {
    "currency": "RUB",
    "traits": ("simple", "source:CALL"),
    "fields": {"UF_CRM_HUB_SOURCE": "UF_CRM_HUB_SOURCE", "UF_CRM_7": "UF_CRM_7"},
}


@pytest.fixture
def opened(http, app, grant):
    """Open the portal with the settings of the tests, changed."""
    return lambda **changed: connector.open(http, app, grant, {**SETTINGS, **changed})


@pytest.fixture
def session(opened):
    return opened()


@pytest.fixture
def classic(opened):
    """A session of an account with leads."""
    return opened(traits=("classic",))
