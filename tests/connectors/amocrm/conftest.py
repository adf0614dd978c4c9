"""A mocked account ``romashka.amocrm.ru`` whose answers are files named by condition."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import respx

from connectors.amocrm import connector
from connectors.http import Http
from connectors.protocol import App, Grant

FIXTURES = Path(__file__).parent / "fixtures"
HOST = "https://romashka.amocrm.ru"
OPEN = "21000001"  # a deal
NOW = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)


def load(name):
    return json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))


def answer(name=None, status=200, **headers):
    return httpx.Response(204) if name is None else httpx.Response(status, json=load(name), headers=headers)


@dataclass
class Vendor:
    """Routes of one account; a route not named here is a failing test."""

    router: respx.MockRouter

    def on(self, method, path, *names, status=200):
        """Answer ``path`` with these fixtures in turn; None is 204."""
        answers = [one if isinstance(one, httpx.Response | Exception) else answer(one, status) for one in names]
        route = self.router.route(method=method, url__regex=rf"^{HOST}/{path}(\?.*)?$")
        return route.mock(side_effect=answers) if len(answers) > 1 else route.mock(side_effect=_always(answers[0]))

    def sent(self, path):
        """Return the bodies posted to ``path``."""
        return [
            json.loads(call.request.content)
            for call in self.router.calls
            if call.request.method == "POST" and call.request.url.path.endswith(path)
        ]

    def asked(self, path):
        """Return the queries of the reads of ``path``."""
        calls = [call.request.url for call in self.router.calls if call.request.method == "GET"]
        return [url.params for url in calls if url.path.endswith(path)]


def _always(one):
    def give(request):
        if isinstance(one, Exception):
            raise one
        return httpx.Response(one.status_code, headers=one.headers, content=one.content)

    return give


@pytest.fixture(name="load")
def load_fixture():
    return load


@pytest.fixture
def vendor():
    with respx.mock(assert_all_called=False) as router:
        yield Vendor(router)


@pytest.fixture
def app():
    return App("client-1", "client-s3cret", "https://hub.example/cb")


@pytest.fixture
def grant():
    return Grant("31000001", "romashka.amocrm.ru", "access-t0ken", "refresh-t0ken", NOW + timedelta(days=1))


@pytest.fixture
def http():
    return Http(allowed=connector.manifest.hosts)


FIELDS = {"HUB_CALL_ID": "700001", "UTM_SOURCE": "610933", "UTM_TERM": "610934", "700002": "700002"}


@pytest.fixture
def session(http, app, grant):
    return connector.open(http, app, grant, {"fields": FIELDS, "currency": "RUB"})


def standing(**changed):
    """An open deal at stage 45100002 of pipeline 5100001."""
    return httpx.Response(200, json=load("lead__open") | {"id": int(OPEN), "pipeline_id": 5100001} | changed)


@pytest.fixture
def account(vendor):
    """An account whose caller has one open deal, which the index knows of."""
    vendor.on("GET", f"api/v4/leads/{OPEN}", standing())
    vendor.on("PATCH", "api/v4/leads", "leads__moved")
    vendor.on("POST", "api/v4/leads/notes", "notes__created")
    return vendor
