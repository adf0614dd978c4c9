"""Who listens to a client is told of each request, masked and cut; his trouble is not the request's."""

import asyncio
import contextlib
import json

import httpx
import pytest
import respx

from connectors.errors import NotSent, PerhapsSent, Sent
from connectors.http import Http
from connectors.round_trips import CAP

URL = "https://romashka.example/rest/1/a1b2c3d4e5f6g7h8/crm.item.add"
PHONE = "+79161234567"


class Ear(list):
    """Takes down what it hears."""

    @property
    def only(self):
        (one,) = self
        return one


@pytest.fixture
def ear():
    return Ear()


@pytest.fixture
def http(ear):
    return Http(allowed=("romashka.example",), heard=ear.append)


@respx.mock
async def test_a_request_and_its_answer_are_told(http, ear):
    route = respx.post(URL).respond(201, json={"id": 7})
    await http.send("POST", URL, json={"title": "Call"}, query={"x": "1"}, timeout=5, creates=True)
    told = ear.only
    assert (told.method, told.status, told.lost, told.failed) == ("POST", 201, None, False)
    assert told.address == "https://romashka.example/rest/1/***/crm.item.add?x=1"
    assert told.asked == '{"title":"Call"}'
    assert told.asked_size == len(route.calls.last.request.content)
    assert json.loads(told.answered) == {"id": 7}
    assert told.took.total_seconds() >= 0


@respx.mock
async def test_no_secret_phone_or_name_is_told(http, ear):
    respx.post(URL).respond(200, json={"refresh_token": "canary-1", "result": {"NAME": "Пётр", "PHONE": PHONE}})
    body = {"auth": "canary-2", "cmd": {"a": "crm.item.add?fields%5BNAME%5D=%D0%9F%D1%91%D1%82%D1%80&p=%2B79161234567"}}
    await http.send(
        "POST", URL, json=body, headers={"authorization": "Bearer canary-3"}, query={"auth": "canary-4"}, timeout=5
    )
    text = f"{ear.only!r} {ear.only.asked} {ear.only.answered} {ear.only.address}"
    assert "canary" not in text and "a1b2c3" not in text
    assert "Пётр" not in text and "9161" not in text


@respx.mock
async def test_a_form_is_told_without_its_secrets(http, ear):
    respx.post(URL).respond(200, json={})
    await http.send(
        "POST", URL, form={"client_secret": "canary", "grant_type": "refresh_token"}, timeout=5, creates=True
    )
    assert ear.only.asked == "client_secret=***&grant_type=refresh_token"


@respx.mock
async def test_long_bodies_are_cut_and_their_sizes_told(http, ear):
    rows = [{"id": one, "PHONE": PHONE} for one in range(5_000)]
    respx.post(URL).respond(200, json=rows)
    await http.send("POST", URL, json=rows, timeout=5)
    told = ear.only
    assert told.asked_size > 100_000 and told.answered_size > 100_000
    assert CAP - 300 < len(told.asked) <= CAP and CAP - 300 < len(told.answered) <= CAP


@pytest.mark.parametrize("length", range(CAP - 30, CAP + 12))
@respx.mock
async def test_a_phone_at_the_cut_is_not_told_by_its_first_digits(http, ear, length):
    respx.post(URL).respond(200, json={})
    await http.send("POST", URL, json={"x": "y" * (length - 40), "phone": PHONE, "z": "z" * 99}, timeout=5)
    assert "9161" not in ear.only.asked


@respx.mock
async def test_a_run_without_an_end_is_cut_away(http, ear):
    respx.post(URL).respond(200, content=b"7" * (2 * CAP))
    await http.send("POST", URL, json={}, timeout=5)
    assert len(ear.only.answered) < CAP


@pytest.mark.parametrize(
    ("error", "raised", "lost"),
    [(httpx.ConnectError("refused"), NotSent, Sent.NOT), (httpx.ReadTimeout("slow"), PerhapsSent, Sent.PERHAPS)],
)
@respx.mock
async def test_a_request_without_an_answer_is_told_with_why(http, ear, error, raised, lost):
    respx.post(URL).mock(side_effect=error)
    with pytest.raises(raised):
        await http.send("POST", URL, json={}, timeout=5, creates=True)
    told = ear.only
    assert (told.status, told.lost, told.failed) == (None, lost, True)
    assert told.detail == f"{type(error).__name__}: {error}"


@respx.mock
async def test_a_request_that_was_given_up_is_told(http, ear):
    under_way = asyncio.Event()

    async def hang(_):
        under_way.set()
        await asyncio.Event().wait()

    respx.post(URL).mock(side_effect=hang)
    task = asyncio.ensure_future(http.send("POST", URL, json={}, timeout=5, creates=True))
    await under_way.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert (ear.only.status, ear.only.lost, ear.only.detail) == (None, Sent.PERHAPS, "given up")


@respx.mock
async def test_each_try_is_told(http, ear):
    respx.get(URL).mock(side_effect=[httpx.ConnectError("refused"), httpx.Response(200, json={})])
    await http.send("GET", URL, timeout=5)
    assert [one.failed for one in ear] == [True, False]


@pytest.mark.parametrize(
    ("status", "body", "failed"),
    [
        (200, {"result": []}, False),
        (204, {}, False),
        (302, {}, True),
        (429, {}, True),
        (200, {"error": "expired_token"}, True),
        (200, {"result": {"result": [], "result_error": {"a": {"error": "NOT_FOUND"}}}}, True),
        (200, {"result": {"result": [], "result_error": []}}, False),
    ],
)
@respx.mock
async def test_what_failed_is_known_by_status_and_by_an_error_in_a_success(http, ear, status, body, failed):
    respx.post(URL).respond(status, json=body)
    await http.send("POST", URL, json={}, timeout=5)
    assert ear.only.failed is failed


@respx.mock
async def test_who_listens_badly_hinders_no_request(caplog):
    def deaf(_):
        raise RuntimeError("canary")

    respx.get(URL).respond(200, json={})
    answer = await Http(allowed=("romashka.example",), heard=deaf).send("GET", URL, timeout=5)
    assert answer.ok
    assert "RuntimeError" in caplog.text and "canary" not in caplog.text
