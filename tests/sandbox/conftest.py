"""A sandbox amoCRM in the test's own process, its clock in the test's hand."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
from aioamocrm import AmoCRMClient, LongLivedToken, RetryPolicy
from amocrm_api import AmoOAuthClient

from sandbox.amocrm.account import Options
from sandbox.amocrm.app import Sandbox
from tests.sandbox.loopback import Live, Turntable, served

HOST = "http://romashka.test:8801"
START = 1_767_225_600.0


class HandClock:
    """A clock that moves only when the test moves it."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> float:
        return self.moment

    def forward(self, seconds: float) -> None:
        self.moment += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def outbox() -> list[httpx.Request]:
    """What the vendor itself has sent: webhooks, install and disable calls."""
    return []


@pytest.fixture
def receiver(outbox: list[httpx.Request]) -> Callable[[int], None]:
    """Sets the answer of whoever receives the vendor's calls; 499 stands for no answer in time."""
    codes = [200]

    def answer(request: httpx.Request) -> httpx.Response:
        outbox.append(request)
        if codes[0] == 499:
            raise httpx.ReadTimeout("too slow", request=request)
        return httpx.Response(codes[0])

    def set_code(code: int) -> None:
        codes[0] = code

    set_code.answer = answer  # type: ignore[attr-defined]
    return set_code


@pytest.fixture
def sandbox(clock: HandClock, receiver: Callable[[int], None]) -> Sandbox:
    outgoing = httpx.MockTransport(receiver.answer)  # type: ignore[attr-defined]
    options = Options(redirect_uri="https://hub.example/amo/cb", disable_hook="https://hub.example/amo/off")
    return Sandbox(options, clock, {"limiter": False}, outgoing)


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
async def api(sandbox: Sandbox, keys: dict[str, object]) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the integration's token."""
    transport = httpx.ASGITransport(app=sandbox.app)
    headers = {"Authorization": f"Bearer {keys['access_token']}"}
    async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers) as client:
        yield client


@pytest.fixture
async def maria(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a manager at the screen: a token that is nobody's integration."""
    user = next(user for user in sandbox.account.users.values() if not user.is_admin)
    token = sandbox.account.tokens.new_access(user.id, "ui", HOST, "ui")
    transport = httpx.ASGITransport(app=sandbox.app)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers) as client:
        yield client


@pytest.fixture(scope="module")
def turntable() -> Iterator[Turntable]:
    """A server on loopback for whichever sandbox is laid on it."""
    table = Turntable()
    with served(table, lifespan="off") as table.base_url:
        yield table


@pytest.fixture
def no_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty list of authorities: loading the real one takes each new client longer than the rest of its test."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))


@pytest.fixture
def live(clock: HandClock, turntable: Turntable, no_certificates: None) -> Live:
    """A sandbox on loopback with its limits off; it sends no webhooks by itself."""
    sandbox = Sandbox(Options(redirect_uri="https://hub.example/amo/cb"), clock, {"limiter": False})
    turntable.app = sandbox.app
    return Live(sandbox, turntable.base_url, sandbox.greeting(turntable.base_url))  # type: ignore[arg-type]


@pytest.fixture
async def amo(live: Live) -> AsyncIterator[AmoCRMClient]:
    """The independent client aioamocrm with the integration's token, in a hurry."""
    auth, at_once = LongLivedToken(live.keys["access_token"]), RetryPolicy(backoff_base=0)
    async with AmoCRMClient(auth=auth, base_url=live.base_url, rate_limit=None, retry=at_once) as client:
        yield client


@pytest.fixture
def wrapper(live: Live) -> Iterator[AmoOAuthClient]:
    """The independent client amocrm-api-wrapper, in a hurry too."""
    names = ("access_token", "refresh_token", "client_id", "client_secret", "redirect_uri")
    client = AmoOAuthClient(crm_url=live.base_url, **{name: live.keys[name] for name in names})
    client.retry_sleep_base = client.retry_sleep_429 = 0
    yield client
    client.close()
