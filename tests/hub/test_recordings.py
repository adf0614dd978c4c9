"""Recordings are brought from a real little server as telephony keeps them: only from where they may come from."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub import recordings
from hub.errors import SetupInvalid
from hub.recordings import NotHeard, Ways
from hub.setup_file import read_setup
from hub.store.recordings import recording_of
from tests.hub import world as worlds
from tests.hub.test_rematch import look_at_all
from tests.hub.world import World
from tracking_core.telephony.recordings import Fetch, Recording

SOUND = b"ID3" + bytes(range(256)) * 40
MP3 = {"content-type": "audio/mpeg"}
PUBLIC = "93.184.215.14"


class Vendor:
    """A server that keeps recordings; ``heard`` is what it was asked, ``answers`` what it says by path."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.heard: list[tuple[str, str, Mapping[str, str], bytes]] = []
        self.answers: dict[str, tuple[int, Mapping[str, str], bytes]] = {"/1.mp3": (200, MP3, SOUND)}

    def leads(self, path: str, to: str, status: int = 302) -> str:
        self.answers[path] = (status, {"location": to}, b"")
        return self.address + path


@contextmanager
def serving() -> Iterator[Vendor]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = int(self.headers.get("content-length") or 0)
            told = {name.lower(): value for name, value in self.headers.items()}
            vendor.heard.append((self.command, self.path, told, self.rfile.read(size)))
            status, headers, body = vendor.answers.get(self.path, (404, {}, b""))
            if "range" in told and status == 200:
                first, _, last = told["range"].removeprefix("bytes=").partition("-")
                begins, ends = int(first), int(last or len(body) - 1)
                headers = {**headers, "content-range": f"bytes {begins}-{ends}/{len(body)}"}
                status, body = 206, body[begins : ends + 1]
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    vendor = Vendor(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield vendor
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    with serving() as made:
        yield made


async def heard(fetch: Fetch, ways: Ways, span: str = "", **more: Any) -> tuple[int, Mapping[str, str], bytes]:
    sound = await recordings.sound(fetch, ways, span, **more)
    body = b"".join([piece async for piece in sound.pieces])
    await sound.close()
    return sound.status, sound.headers, body


async def why_not(fetch: Fetch, ways: Ways, **more: Any) -> str:
    with pytest.raises(NotHeard) as error:
        await heard(fetch, ways, **more)
    return error.value.why


# -- what is heard


async def test_a_recording_is_brought_as_it_is(vendor: Vendor) -> None:
    told = await heard(Fetch(f"{vendor.address}/1.mp3"), Ways((), (vendor.address,)))
    assert told == (200, {"content-type": "audio/mpeg", "content-length": str(len(SOUND))}, SOUND)


async def test_a_part_is_asked_for_and_passed_on(vendor: Vendor) -> None:
    status, headers, body = await heard(Fetch(f"{vendor.address}/1.mp3"), Ways((), (vendor.address,)), "bytes=3-12")
    assert (status, headers["content-range"], body) == (206, f"bytes 3-12/{len(SOUND)}", SOUND[3:13])


async def test_a_range_nobody_writes_is_not_passed_on(vendor: Vendor) -> None:
    status, _, body = await heard(Fetch(f"{vendor.address}/1.mp3"), Ways((), (vendor.address,)), "bytes=0-1,5-9")
    assert (status, body) == (200, SOUND)


async def test_a_signed_request_is_followed_to_the_sound_and_proves_us_only_once(vendor: Vendor) -> None:
    ask = vendor.leads("/ask", f"{vendor.address}/1.mp3")
    fetch = Fetch(ask, "POST", {"authorization": "Basic c2VjcmV0", "content-type": "text/plain"}, b"signed")
    assert (await heard(fetch, Ways((), (vendor.address,)), "bytes=0-"))[0] == 206
    (first, _, proved, body), (then, _, bare, nothing) = vendor.heard
    assert (first, proved["authorization"], body) == ("POST", "Basic c2VjcmV0", b"signed")
    assert (then, "authorization" in bare, bare["range"], nothing) == ("GET", False, "bytes=0-", b"")


async def test_a_link_in_a_json_answer_is_followed(vendor: Vendor) -> None:
    told = json.dumps({"status": "success", "link": f"{vendor.address}/1.mp3"}).encode()
    vendor.answers["/request"] = (200, {"content-type": "application/json"}, told)
    fetch = Fetch(f"{vendor.address}/request", headers={"authorization": "k:s"}, link_in="link")
    assert (await heard(fetch, Ways((), (vendor.address,))))[2] == SOUND
    assert ["authorization" in one[2] for one in vendor.heard] == [True, False]


async def test_a_file_without_a_kind_is_known_by_its_ending(vendor: Vendor) -> None:
    vendor.answers["/2.wav"] = (200, {"content-type": "application/octet-stream"}, SOUND)
    assert (await heard(Fetch(f"{vendor.address}/2.wav"), Ways((), (vendor.address,))))[1][
        "content-type"
    ] == "audio/wav"


# -- what is not


@pytest.mark.parametrize(
    ("path", "answer", "why"),
    [
        ("/page", (200, {"content-type": "text/html"}, b"<script>"), "no_audio"),
        ("/file", (200, {"content-type": "application/octet-stream"}, b"MZ"), "no_audio"),
        ("/image", (200, {"content-type": "image/svg+xml"}, b"<svg/>"), "no_audio"),
        ("/packed", (200, {**MP3, "content-encoding": "gzip"}, b""), "no_audio"),
        ("/long", (200, {**MP3, "content-length": str(recordings.CAP + 1)}, b""), "too_long"),
        ("/late", (403, {}, b""), "gone"),
        ("/gone", (410, {}, b""), "gone"),
        ("/lost", (404, {}, b""), "not_there"),
        ("/broken", (500, {}, b""), "silent"),
        ("/empty", (204, {}, b""), "silent"),
    ],
)
async def test_what_is_no_sound_is_not_passed_on(vendor: Vendor, path: str, answer: Any, why: str) -> None:
    vendor.answers[path] = answer
    assert await why_not(Fetch(vendor.address + path), Ways((), (vendor.address,))) == why


async def test_an_answer_without_the_link_it_should_hold_is_no_sound(vendor: Vendor) -> None:
    vendor.answers["/request"] = (200, {}, b'{"status": "error"}')
    assert await why_not(Fetch(f"{vendor.address}/request", link_in="link"), Ways((), (vendor.address,))) == "no_audio"


async def test_nobody_at_the_address_is_silence() -> None:
    with serving() as stopped:
        address = stopped.address
    assert await why_not(Fetch(f"{address}/1.mp3"), Ways((), (address,))) == "silent"


async def test_a_sound_that_grows_without_end_is_cut(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "CAP", len(SOUND) - 1)
    vendor.answers["/1.mp3"] = (200, {**MP3, "content-length": ""}, SOUND)
    assert await why_not(Fetch(f"{vendor.address}/1.mp3"), Ways((), (vendor.address,))) == "too_long"


# -- where it may come from


@pytest.mark.parametrize(
    "url",
    [
        "http://pbx.example/1.mp3",
        "https://pbx.example.evil.example/1.mp3",
        "https://evil.example/1.mp3",
        "https://pbx.example:8443/1.mp3",
        "https://user:password@pbx.example/1.mp3",
        "ftp://pbx.example/1.mp3",
        "file:///etc/passwd",
        "https://[::1",
        "",
    ],
)
async def test_an_address_nobody_named_is_not_asked(url: str) -> None:
    assert await why_not(Fetch(url), Ways(("pbx.example",))) == "refused"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.5",
        "192.168.1.1",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "::ffff:10.0.0.5",
        "100.64.0.1",
        "0.0.0.0",
    ],
)
async def test_a_vendors_name_never_leads_into_our_own_network(address: str) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return [address]

    assert await why_not(Fetch("https://pbx.example/1.mp3"), Ways(("pbx.example",)), resolve=resolve) == "refused"


async def test_the_address_that_was_looked_at_is_the_one_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[httpx.Request] = []

    async def send(client: httpx.AsyncClient, request: httpx.Request, **_: Any) -> httpx.Response:
        asked.append(request)
        return httpx.Response(404, request=request)

    async def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.5", PUBLIC]

    monkeypatch.setattr(httpx.AsyncClient, "send", send)
    await why_not(Fetch("https://rec.pbx.example/1.mp3"), Ways(("pbx.example",)), resolve=resolve)
    (request,) = asked
    assert (request.url.host, request.headers["host"]) == (PUBLIC, "rec.pbx.example")
    assert request.extensions["sni_hostname"] == "rec.pbx.example"


async def test_a_redirect_to_somewhere_else_is_refused(vendor: Vendor) -> None:
    with serving() as other:
        fetch = Fetch(vendor.leads("/ask", f"{other.address}/1.mp3"))
        assert await why_not(fetch, Ways((), (vendor.address,))) == "refused"
        assert other.heard == []


async def test_a_way_without_end_is_refused(vendor: Vendor) -> None:
    fetch = Fetch(vendor.leads("/round", "/round"))
    assert await why_not(fetch, Ways((), (vendor.address,))) == "refused"
    assert len(vendor.heard) == recordings.MOST_REDIRECTS + 1


async def test_a_name_that_does_not_resolve_in_time_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(recordings, "CONNECT_S", 0.01)
    assert await why_not(Fetch("https://pbx.example/1.mp3"), Ways(("pbx.example",)), resolve=resolve) == "silent"


# -- through the console


async def recorded(world: World, url: str) -> int:
    """Tell a call with its recording; return its enquiry."""
    told = {"call_id": "c1", "at": world.clock.now().isoformat(), "dialled": "+74951110001"}
    await world.generic({**told, "event": "ended", "talk_s": 60, "status": "answered"}, "m1")
    await world.generic({**told, "event": "recorded", "recording_url": url}, "m2")
    await look_at_all(world)
    return int((await world.api("enquiries"))["enquiries"][0]["id"])


async def test_who_is_logged_in_hears_the_call_and_nobody_else(
    vendor: Vendor, tmp_path: Any, database_url: str
) -> None:
    own = worlds.SETUP.replace("adapter: generic", f"adapter: generic, recordings_from: ['{vendor.address}']")
    with worlds.still(database_url, tmp_path, own) as world:
        path = f"/enquiries/{await recorded(world, f'{vendor.address}/1.mp3')}"
        assert (await world.web.get(f"{path}/recording")).status_code == 303
        assert vendor.heard == []
        await world.log_in()
        assert f'<audio controls preload="none" src="{path}/recording">' in (await world.web.get(path)).text
        played = await world.web.get(f"{path}/recording", headers={"range": "bytes=0-2"})
        assert (played.status_code, played.content, played.headers["cache-control"]) == (
            206,
            b"ID3",
            "private, no-store",
        )
        assert (await world.web.get("/enquiries/999/recording")).status_code == 404


async def test_a_recording_at_an_address_nobody_named_says_what_to_do(
    vendor: Vendor, tmp_path: Any, database_url: str
) -> None:
    with worlds.still(database_url, tmp_path) as world:
        enquiry_id = await recorded(world, f"{vendor.address}/1.mp3")
        await world.log_in()
        answer = await world.web.get(f"/enquiries/{enquiry_id}/recording")
        assert (answer.status_code, "recordings_from" in answer.text, vendor.heard) == (403, True, [])
        kept = await world.hub.db.read(recording_of, 1, enquiry_id, world.hub.vault)
        assert kept is not None
        assert kept.recording == Recording(f"{vendor.address}/1.mp3", None)
        assert await world.hub.db.read(recording_of, 2, enquiry_id, world.hub.vault) is None


# -- the set-up file


def with_account(folder: Path, line: str) -> Path:
    path = folder / "setup.yaml"
    path.write_text(worlds.SETUP.replace("adapter: generic", f"adapter: generic, {line}"), encoding="utf-8")
    (folder / "calls_to_deals.yaml").write_text(worlds.SCENARIO.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def test_a_host_or_an_address_may_be_named(tmp_path: Path) -> None:
    line = "recordings_from: [PBX.example, 'http://10.0.0.7:8088/', 'https://[fd00::7]:8443']"
    asked, _ = read_setup(with_account(tmp_path, line))
    assert asked.telephony[1].recordings_from == [
        "https://pbx.example", "http://10.0.0.7:8088", "https://[fd00::7]:8443"
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", ["ftp://pbx.example", "https://a@pbx.example", "https://pbx.example/rec", "a b", ""])
def test_what_is_no_address_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(SetupInvalid, match=r"setup.yaml:15: telephony\.1\.recordings_from\.0: is not a host like"):
        read_setup(with_account(tmp_path, f"recordings_from: ['{wrong}']"))


def test_a_secret_that_only_recordings_need_may_be_left_out(tmp_path: Path) -> None:
    for secrets in ("{api_secret: s}", "{api_secret: s, api_key: k}"):
        setup = worlds.SETUP.replace("adapter: mango, secrets: {vpbx_api_key: KEY123, vpbx_api_salt: SALT456}",
                                     f"adapter: zadarma, secrets: {secrets}")  # fmt: skip
        path = with_account(tmp_path, "zone: UTC")
        path.write_text(setup, encoding="utf-8")
        assert read_setup(path)[0].telephony[0].adapter == "zadarma"
    path.write_text(setup.replace("api_key: k", "apikey: k"), encoding="utf-8")
    with pytest.raises(SetupInvalid, match="secrets of zadarma are exactly: api_secret, and if you like api_key"):
        read_setup(path)
