import asyncio
import contextlib
import gzip
import json
import logging
from datetime import timedelta

import httpx
import pytest
import respx

from connectors.errors import HostRefused, NotSent, PerhapsSent, Refused, Unreadable
from connectors.http import BODY_CAP, Answer, Http, by_suffix

URL = "https://romashka.amocrm.ru/api/v4/leads"
HOSTS = ("amocrm.ru",)


@pytest.fixture
def http():
    return Http(allowed=HOSTS)


@respx.mock
async def test_answer_has_status_headers_and_body(http):
    respx.get(URL).respond(200, json={"a": 1}, headers={"X-Request-Id": "r1"})
    answer = await http.send("GET", URL, timeout=5)
    assert answer.status == 200
    assert answer.headers["x-request-id"] == "r1"
    assert answer.json() == {"a": 1}


@respx.mock
async def test_json_is_sent_readably(http):
    route = respx.post(URL).respond(200, json=[])
    await http.send("POST", URL, json=[{"name": "Звонок"}], timeout=5, creates=True)
    sent = route.calls.last.request
    assert sent.headers["content-type"] == "application/json"
    assert json.loads(sent.content) == [{"name": "Звонок"}]


@respx.mock
async def test_a_form_is_sent_as_a_form(http):
    route = respx.post(URL).respond(200, json={})
    await http.send("POST", URL, form={"a": "б"}, timeout=5)
    assert route.calls.last.request.content == b"a=%D0%B1"


@respx.mock
async def test_lists_in_a_query_repeat_their_key(http):
    route = respx.get(URL).respond(204)
    await http.send("GET", URL, query={"filter[id][]": [1, 2]}, timeout=5)
    assert route.calls.last.request.url.params.get_list("filter[id][]") == ["1", "2"]


@respx.mock
async def test_lone_surrogates_do_not_stop_a_request(http):
    route = respx.post(URL).respond(200, json={})
    await http.send("POST", URL, json={"name": "\ud83d"}, timeout=5)
    assert json.loads(route.calls.last.request.content) == {"name": "?"}


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.ru/",
        "https://amocrm.ru.evil.ru/",
        "https://evilamocrm.ru/",
        "https://romashka.amocrm.ru@evil.ru/",
        "https://user:pass@romashka.amocrm.ru/",
        "https://romashka.amocrm.ru:8443/",
        "https://romashka.amocrm.ru./",
        "http://romashka.amocrm.ru/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://аmocrm.ru/",  # a Cyrillic letter
        "ftp://romashka.amocrm.ru/",
        "https://169.254.169.254/latest/meta-data",
        "//romashka.amocrm.ru/",
    ],
)
@respx.mock(assert_all_called=False)
async def test_other_addresses_are_refused_before_connecting(http, url, respx_mock):
    route = respx_mock.route().respond(200)
    with pytest.raises(HostRefused):
        await http.send("GET", url, timeout=5)
    assert not route.called
    assert http.requests == 0


@pytest.mark.parametrize("url", ["https://romashka.amocrm.ru:port/", "https://[/", "\x00", "https://" + "a" * 70_000])
async def test_unreadable_addresses_are_certainly_not_sent(http, url):
    with pytest.raises(NotSent):
        await http.send("GET", url, timeout=5)


@respx.mock
async def test_an_extra_origin_may_be_plain_http():
    respx.get("http://127.0.0.1:8801/amocrm/api").respond(200, json={})
    http = Http(allowed=HOSTS, origins=("http://127.0.0.1:8801/amocrm",))
    assert (await http.send("GET", "http://127.0.0.1:8801/amocrm/api", timeout=5)).ok
    with pytest.raises(HostRefused):
        await http.send("GET", "http://127.0.0.1:8802/amocrm/api", timeout=5)


@respx.mock
async def test_a_rule_may_decide_instead_of_suffixes():
    respx.get("https://here.example:8443/").respond(200, json={})
    http = Http(allowed=lambda host, port: (host, port) == ("here.example", 8443))
    assert (await http.send("GET", "https://here.example:8443/", timeout=5)).ok


def test_suffixes_match_whole_names_only():
    allowed = by_suffix(("amocrm.ru",))
    assert allowed("amocrm.ru", None)
    assert allowed("a.amocrm.ru", 443)
    assert not allowed("xamocrm.ru", None)


@respx.mock
async def test_redirects_are_answers(http):
    respx.get(URL).respond(302, headers={"location": "https://evil.ru/"})
    assert (await http.send("GET", URL, timeout=5)).status == 302


# -- failures


@respx.mock
async def test_a_refused_connection_is_certainly_not(http):
    respx.post(URL).mock(side_effect=httpx.ConnectError("refused"))
    with pytest.raises(NotSent):
        await http.send("POST", URL, json={}, timeout=5, creates=True)


@respx.mock
async def test_a_late_answer_is_perhaps(http):
    route = respx.post(URL).mock(side_effect=httpx.ReadTimeout("slow"))
    with pytest.raises(PerhapsSent):
        await http.send("POST", URL, json={}, timeout=5, creates=True)
    assert route.call_count == 1


@respx.mock
async def test_a_read_whose_connection_failed_is_sent_once_more(http):
    respx.get(URL).mock(side_effect=[httpx.ConnectError("refused"), httpx.Response(200, json={})])
    assert (await http.send("GET", URL, timeout=5)).ok
    assert http.requests == 2


@respx.mock
async def test_a_read_is_given_up_after_two_tries(http):
    route = respx.get(URL).mock(side_effect=httpx.ReadError("reset"))
    with pytest.raises(PerhapsSent):
        await http.send("GET", URL, timeout=5)
    assert route.call_count == 2


@respx.mock
async def test_a_slow_read_is_not_repeated(http):
    route = respx.get(URL).mock(side_effect=httpx.ReadTimeout("slow"))
    with pytest.raises(PerhapsSent):
        await http.send("GET", URL, timeout=5)
    assert route.call_count == 1


@respx.mock
async def test_an_unknown_exception_is_perhaps(http):
    respx.post(URL).mock(side_effect=RuntimeError("strange"))
    with pytest.raises(PerhapsSent, match="RuntimeError"):
        await http.send("POST", URL, json={}, timeout=5)


@respx.mock
async def test_a_body_over_the_cap_is_cut_off(http):
    respx.get(URL).respond(200, content=b"x" * (BODY_CAP + 1))
    with pytest.raises(PerhapsSent, match="larger than"):
        await http.send("GET", URL, timeout=5)


@respx.mock
async def test_a_gzip_bomb_is_cut_off(http):
    bomb = gzip.compress(b"x" * (BODY_CAP * 4))
    respx.get(URL).respond(200, content=bomb, headers={"content-encoding": "gzip"})
    with pytest.raises(PerhapsSent, match="larger than"):
        await http.send("GET", URL, timeout=5)


@respx.mock
async def test_gzip_is_read(http):
    respx.get(URL).respond(200, content=gzip.compress(b'{"a": 1}'), headers={"content-encoding": "gzip"})
    assert (await http.send("GET", URL, timeout=5)).json() == {"a": 1}


@pytest.mark.parametrize(("encoding", "body"), [("br", b"?"), ("gzip", b"not gzip")])
@respx.mock
async def test_other_encodings_are_perhaps(http, encoding, body):
    answer = httpx.Response(200, headers={"content-encoding": encoding}, stream=httpx.ByteStream(body))
    respx.get(URL).mock(return_value=answer)
    with pytest.raises(PerhapsSent):
        await http.send("GET", URL, timeout=5)


# -- budget


@respx.mock
async def test_each_request_is_paid_before_it_is_sent():
    order = []

    @contextlib.asynccontextmanager
    async def turn(_of):
        order.append("paid")
        yield
        order.append("answered")

    respx.get(URL).mock(side_effect=lambda _: order.append("sent") or httpx.Response(204))
    http = Http(allowed=HOSTS, turn=turn)
    await http.send("GET", URL, timeout=5)
    await http.send("GET", URL, timeout=5)
    assert order == ["paid", "sent", "answered"] * 2


@pytest.mark.parametrize(
    ("method", "asked", "told"),
    [
        ("GET", {}, ()),
        ("POST", {"of": ("d-1", "d-2")}, ("d-1", "d-2")),
        ("POST", {}, None),
        ("GET", {"creates": True}, None),
        ("POST", {"reads": True}, ()),
    ],
    ids=["a read touches none", "those it names", "who names none may touch any", "a creating one too", "a POST reads"],
)
@respx.mock
async def test_whoever_pays_is_told_which_deliveries_it_may_take_effect_for(method, asked, told):
    paid_for = []

    @contextlib.asynccontextmanager
    async def turn(of):
        paid_for.append(of)
        yield

    respx.route(url=URL).respond(204)
    await Http(allowed=HOSTS, turn=turn).send(method, URL, timeout=5, **asked)
    assert paid_for == [told]


@respx.mock
async def test_a_repeated_read_is_paid_twice():
    paid = []

    @contextlib.asynccontextmanager
    async def turn(_of):
        paid.append(1)
        yield

    respx.get(URL).mock(side_effect=httpx.ConnectError("refused"))
    http = Http(allowed=HOSTS, turn=turn)
    with pytest.raises(NotSent):
        await http.send("GET", URL, timeout=5)
    assert len(paid) == 2


@respx.mock(assert_all_called=False)
async def test_an_unpaid_request_is_not_sent(respx_mock):
    class LaneLost(Exception):
        pass

    def lost(_of):
        raise LaneLost

    route = respx_mock.post(URL).respond(200)
    http = Http(allowed=HOSTS, turn=lost)
    with pytest.raises(LaneLost):
        await http.send("POST", URL, json={}, timeout=5)
    assert not route.called


# -- secrets


@respx.mock
async def test_errors_carry_no_secrets(http):
    respx.get(URL).mock(side_effect=httpx.ConnectError("failed for Bearer abc.def, code=c0de, +7 (916) 123-45-67"))
    with pytest.raises(NotSent) as caught:
        await http.send("GET", URL, headers={"authorization": "Bearer abc.def"}, timeout=5)
    assert "abc.def" not in repr(caught.value)
    assert "c0de" not in str(caught.value)
    assert "123-45" not in str(caught.value)
    assert caught.value.__cause__ is None


@respx.mock
async def test_the_client_logs_nothing_even_at_debug(http, caplog):
    for name in ("", "httpx", "httpcore"):
        caplog.set_level(logging.DEBUG, logger=name)
    respx.get(URL).respond(204)
    await http.send("GET", URL, query={"query": "9161234567"}, timeout=5)
    assert "9161234567" not in caplog.text


def test_an_answer_hides_its_body():
    assert "t0ken" not in repr(Answer(200, {"set-cookie": "t0ken"}, b"t0ken"))


# -- answers


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_json_reads_as_none(body):
    assert Answer(200, {}, body).json() is None


def test_no_content_reads_as_nothing():
    assert Answer(204, {}, b"").read() is None


@pytest.mark.parametrize("body", [b"", b"7", b"null", b"<html>"])
def test_a_success_without_object_or_list_is_unreadable(body):
    with pytest.raises(Unreadable):
        Answer(200, {}, body).read()


def test_an_unsuccessful_answer_is_refused_with_its_words():
    body = json.dumps({"title": "Bad Request", "detail": "Pipeline not found"}).encode()
    with pytest.raises(Refused) as caught:
        Answer(404, {}, body).read()
    assert caught.value.status == 404
    assert caught.value.readable
    assert caught.value.detail == "HTTP 404: Bad Request; Pipeline not found"


def test_a_problem_without_json_keeps_its_first_words():
    problem = Answer(403, {}, b"<html>\n403 Forbidden").problem()
    assert problem.detail == "<html> 403 Forbidden"
    assert not problem.readable


@pytest.mark.parametrize(
    ("headers", "body", "pause"),
    [
        ({}, b'{"retry_after": 300}', timedelta(minutes=5)),
        ({"retry-after": "7"}, b"{}", timedelta(seconds=7)),
        ({"retry-after": "7"}, b"slow down", timedelta(seconds=7)),
        ({}, b'{"retry_after": "never"}', None),
        ({}, b'{"retry_after": -1}', None),
        ({}, b'{"retry_after": 99999}', timedelta(hours=1)),
        ({}, b"{}", None),
    ],
)
def test_the_asked_pause_is_read_from_body_or_header(headers, body, pause):
    assert Answer(429, headers, body).problem().retry_after == pause


async def test_closing_twice_is_harmless(http):
    await http.aclose()
    await http.aclose()


# -- a real connection on the loopback


@pytest.fixture
async def dripping():
    """A server that sends its headers and then one byte after another until nobody reads."""
    finished = asyncio.Event()

    async def drip(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"x")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(1_000), 0.01)
        writer.close()
        finished.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await asyncio.wait_for(finished.wait(), 5)


async def test_a_dripping_answer_is_cut_off_in_time(dripping, monkeypatch):
    monkeypatch.setattr("connectors.http.CONNECT_S", 0.2)
    async with Http(allowed=HOSTS, origins=(dripping,)) as http:
        with pytest.raises(PerhapsSent, match="no whole answer within"):
            await http.send("POST", f"{dripping}/x", json={}, timeout=0.2, creates=True)


async def test_a_closed_port_is_certainly_not():
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()
    async with Http(allowed=HOSTS, origins=(address,)) as http:
        with pytest.raises(NotSent):
            await http.send("POST", f"{address}/x", json={}, timeout=5, creates=True)


# -- stopped the moment before it leaves


@respx.mock
@pytest.mark.parametrize("step", ["http11.send_request_headers.started", "http11.send_request_body.started"])
async def test_a_request_is_stopped_the_moment_before_its_bytes_leave(step):
    class Stopped(Exception):
        pass

    def stop():
        raise Stopped

    async def leaves(request):
        await request.extensions["trace"](step, {})

    http = Http(allowed=HOSTS, still=stop)
    respx.post(URL).mock(side_effect=leaves)
    with pytest.raises(Stopped):
        await http.send("POST", URL, json={}, timeout=5, creates=True)
