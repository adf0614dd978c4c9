"""A sandbox Bitrix24 in the test's own process, its clock in the test's hand."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from sandbox.bitrix24.app import Sandbox
from sandbox.bitrix24.portal import Options
from tests.sandbox.conftest import HandClock

HOST = "http://romashka.test:8802"
CALLBACK = "https://hub.example/b24/events"
OPTIONS = Options(
    redirect_uri="https://hub.example/b24/cb",
    app_url="https://hub.example/b24/app",
    installer_url="https://hub.example/b24/install",
    install_event_url=CALLBACK,
)


class Rest:
    """Calls the portal's methods as the app, or as whoever's token it is given."""

    def __init__(self, web: httpx.AsyncClient, token: str) -> None:
        self.web, self.token = web, token

    async def raw(self, method: str, **params: Any) -> httpx.Response:
        return await self.web.post(f"/rest/{method}", json={"auth": self.token, **params})

    async def __call__(self, method: str, **params: Any) -> Any:
        """The `result` of a method that must succeed."""
        answer = await self.raw(method, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    async def refused(self, method: str, **params: Any) -> tuple[int, object]:
        """Status and code of a method that must fail."""
        answer = await self.raw(method, **params)
        return answer.status_code, answer.json()["error"]

    async def text(self, method: str, **params: Any) -> str:
        """The words of a method's refusal."""
        return str((await self.raw(method, **params)).json()["error_description"])


@pytest.fixture
def sandbox(clock: HandClock, receiver: Callable[[int], None]) -> Sandbox:
    return Sandbox(OPTIONS, clock, {"limiter": False}, httpx.MockTransport(receiver.answer))  # type: ignore[attr-defined]


@pytest.fixture
def keys(sandbox: Sandbox) -> dict[str, object]:
    return sandbox.greeting(HOST)


@pytest.fixture
async def web(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token, as a browser or a stranger."""
    transport = httpx.ASGITransport(app=sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
        yield client


@pytest.fixture
def rest(web: httpx.AsyncClient, keys: dict[str, object]) -> Rest:
    """The app with the admin's token."""
    return Rest(web, str(keys["access_token"]))


@pytest.fixture
def maria(web: httpx.AsyncClient, sandbox: Sandbox) -> Rest:
    """The app in a manager's hands, with her token."""
    return Rest(web, sandbox.portal.tokens.new_pair(6).access)


@pytest.fixture
def control(web: httpx.AsyncClient) -> Callable[..., Any]:
    """Knocks at a control door."""

    async def knock(deed: str, **told: Any) -> Any:
        answer = await web.post(f"/_sandbox/{deed}", json=told)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return knock
