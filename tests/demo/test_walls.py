"""Whoever is shown what is another's is found out: here the hub answers as each test needs it."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from sandbox.demo import walls
from sandbox.demo.door import Answer, NoAnswer
from sandbox.demo.kitchens import KITCHENS
from sandbox.demo.tenant import Keys, Tenant
from sandbox.demo.windows import WINDOWS

HUB = "http://hub.example"
OWN, OTHERS = 1, 2  # the enquiries of the first and of the second company


@dataclass
class Hub:
    """Shows each owner what is his; `holes` are paths where the first owner is shown what is there."""

    holes: dict[str, int] = field(default_factory=dict)
    listed: tuple[int, ...] = (OWN,)

    def status(self, path: str, own: int) -> int:
        return self.holes.get(path, 200 if path.rpartition("enquiries/")[2].partition("/")[0] == str(own) else 404)

    def browse(self, request: httpx.Request) -> httpx.Response:
        path, is_first = request.url.path, "seat=first" in request.headers.get("cookie", "")
        own = OWN if is_first else OTHERS
        if path == "/login" and request.method == "GET":
            return httpx.Response(200, html='<form action="/login"></form>')
        if path == "/login":
            seat = "first" if WINDOWS.key in request.content.decode() else "second"
            return httpx.Response(303, headers={"location": "/enquiries", "set-cookie": f"seat={seat}; Path=/"})
        if path == "/enquiries" and "cookie" not in request.headers:
            return httpx.Response(303, headers={"location": "/login"})
        if path == "/enquiries":
            listed = self.listed if is_first else (OTHERS,)
            return httpx.Response(200, html="".join(f'<a href="/enquiries/{one}">' for one in listed))
        return httpx.Response(self.status(path, own) if is_first else 404)


@dataclass
class Api:
    """The interface with one tenant's token."""

    hub: Hub
    own: int
    knows: tuple[int, ...]

    def get(self, path: str, query: Any = None) -> Answer:
        if query is None:
            return Answer(path, self.hub.status(path, self.own) if self.own == OWN else 404, b"")
        ids = [one for one in self.knows if one > query["after"]]
        return Answer(path, 200, b'{"enquiries": [%s]}' % b", ".join(b'{"id": %d}' % one for one in ids))


@pytest.fixture(autouse=True)
def browsers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Hub]:
    """Every browser reaches the hub of the test."""
    at: dict[str, Hub] = {}
    client = httpx.Client

    def open_(**told: Any) -> httpx.Client:
        return client(transport=httpx.MockTransport(lambda request: at["hub"].browse(request)), **told)

    monkeypatch.setattr("sandbox.demo.walls.httpx.Client", open_)
    return at


def seen(browsers: dict[str, Hub], hub: Hub, knows: tuple[int, ...] = (OWN,)) -> list[int]:
    browsers["hub"] = hub
    apis = Api(hub, OWN, knows), Api(hub, OTHERS, (OTHERS,))
    pairs = zip((WINDOWS, KITCHENS), apis, strict=True)
    tenants = [Tenant(of, Keys(of.key, "secret", "", "", "", ""), api, None, "", None) for of, api in pairs]  # type: ignore[arg-type]
    return list(walls.seen_of_others(tenants, HUB))


def test_behind_good_walls_nothing_is_seen(browsers: dict[str, Hub]) -> None:
    assert seen(browsers, Hub()) == [0, 0]


@pytest.mark.parametrize(
    "path", ["/enquiries/2", "/api/v1/enquiries/2", "/api/v1/enquiries/2/ledger"], ids=["console", "api", "ledger"]
)
def test_another_companys_enquiry_that_is_shown_is_counted(browsers: dict[str, Hub], path: str) -> None:
    assert seen(browsers, Hub({path: 200}))[0] > 0


def test_another_companys_enquiry_in_the_list_of_the_console_is_counted(browsers: dict[str, Hub]) -> None:
    assert seen(browsers, Hub(listed=(OWN, OTHERS)))[0] == 1


def test_another_companys_enquiry_in_the_list_of_the_interface_is_counted(browsers: dict[str, Hub]) -> None:
    assert seen(browsers, Hub(), knows=(OWN, OTHERS))[0] == 1


def test_who_is_not_even_shown_his_own_proves_nothing(browsers: dict[str, Hub]) -> None:
    with pytest.raises(NoAnswer, match="does not list what is Окна Ромашка's own"):
        seen(browsers, Hub(listed=()))


def test_a_hub_that_fails_proves_nothing(browsers: dict[str, Hub]) -> None:
    with pytest.raises(NoAnswer, match="GET /enquiries/2 was answered with 500"):
        seen(browsers, Hub({"/enquiries/2": 500}))
