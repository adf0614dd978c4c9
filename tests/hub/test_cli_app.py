"""``cthub app check`` as a person meets it: it asks a hub over real TLS, and prints a table or one JSON line."""

import html
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner, Result

from connectors import http
from connectors.publication import Finding, Publication, Ruling
from connectors.registry import CONNECTORS
from hub import cli_app
from hub.__main__ import cli
from hub.errors import HubError
from hub.settings import AppSettings
from tests.browser.two_hosts import Host, certificate, serving
from tests.hub import world as worlds
from tests.hub.world import World
from tests.serving import in_thread

NAME = "bitrix24"
POLICY = {"content-security-policy": "frame-ancestors 'none'", "referrer-policy": "no-referrer"}


def app(**changed: Response) -> Starlette:
    """A hub whose addresses answer as they should, but for those named."""
    pages = {
        "frame": Response("Open this inside your CRM", headers=POLICY),
        "events": Response(status_code=400),
        "privacy": Response("Romashka, help@romashka.example"),
        "support": Response("Romashka, help@romashka.example"),
        "log": Response(status_code=303, headers={"location": "/login?next=%2Fconnections%2F1%2Frequests"}),
        **changed,
    }

    def door(name: str, path: str, *methods: str) -> Route:
        async def answer(_: Request) -> Response:
            return pages[name]

        return Route(path, answer, methods=methods)

    return Starlette(
        routes=[
            door("frame", f"/frame/{NAME}", "GET"),
            door("events", f"/oauth/{NAME}/callback", "POST"),
            door("privacy", "/privacy", "GET"),
            door("support", "/support", "GET"),
            door("log", "/connections/{number}/requests", "GET"),
        ]
    )


@pytest.fixture(scope="module")
def cert(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("cert"))


@pytest.fixture(scope="module")
def _served(cert: tuple[Path, Path]) -> Iterator[Host]:
    with serving(Host(), *cert) as host:
        yield host


@pytest.fixture
def hub(_served: Host) -> Host:
    """A hub behind a certificate of 127.0.0.1 that nobody vouches for, all of whose addresses answer as they should."""
    _served.app = app()
    return _served


@contextmanager
def fresh_tls() -> Iterator[None]:
    """Have the authorities of this machine read anew, and forgotten after."""
    http._tls.cache_clear()
    yield
    http._tls.cache_clear()


@pytest.fixture
def trusted(cert: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose authorities vouch for the hub's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(cert[0]))
    with fresh_tls():
        yield


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that knows the usual authorities alone."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with fresh_tls():
        yield


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["app", "check", *arguments], env={"COLUMNS": "300"})


def look(base_url: str, *arguments: str) -> dict[str, Any]:
    """Return what is told as JSON."""
    (line,) = run(NAME, "--base-url", base_url, "--json", *arguments).stdout.splitlines()
    told: dict[str, Any] = json.loads(line)
    return told


def rules(told: dict[str, Any], rule: str) -> list[dict[str, str]]:
    return [one for one in told["rules"] if one["rule"] == rule]


def rulings(told: dict[str, Any], rule: str) -> list[str]:
    return [one["ruling"] for one in rules(told, rule)]


def at(hub: Host, name: str = "127.0.0.1") -> str:
    return f"https://{name}:{hub.port}"


@pytest.mark.usefixtures("trusted")
def test_addresses_that_answer_as_they_should_are_kept(hub: Host) -> None:
    told = look(at(hub))
    assert [rulings(told, rule) for rule in ("T1", "T2", "1.2")] == [["kept"], ["kept"], ["kept"]]
    assert rulings(told, "7.3") == ["kept"] * 4
    assert [one["ruling"] for one in rules(told, "8.2") if one["about"].startswith("The page")] == ["kept"] * 2


@pytest.mark.usefixtures("trusted")
def test_an_address_may_end_with_a_slash(hub: Host) -> None:
    assert look(f"{at(hub)}/")["base_url"] == at(hub)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("changed", "rule", "found"),
    [
        ({"frame": Response(status_code=404)}, "T1", "/frame/bitrix24 answers 404"),
        ({"frame": Response("", headers=POLICY | {"x-frame-options": "DENY"})}, "7.3", "X-Frame-Options: DENY"),
        ({"frame": Response("", headers=POLICY | {"set-cookie": "sid=1"})}, "7.3", "a cookie is set"),
        ({"log": Response(status_code=404)}, "T7", "/connections/1/requests answers 404"),
        ({"events": Response(status_code=405)}, "1.2", "/oauth/bitrix24/callback answers 405"),
        ({"privacy": Response(status_code=303)}, "8.2", "/privacy answers 303"),
        ({"support": Response("Run by whoever installed it (he has not named himself here).")}, "8.2", "whoever installed"),
        ({"support": Response("Почта здесь не указана: спросите компанию, с сайта или из CRM которой вы сюда попали.")}, "8.2", "Почта"),
    ],
)  # fmt: skip
def test_an_address_that_answers_otherwise_is_broken(hub: Host, changed: Any, rule: str, found: str) -> None:
    hub.app = app(**changed)
    told = [one["found"] for one in rules(look(at(hub)), rule) if one["ruling"] == "broken"]
    assert len(told) == 1 and found in told[0]


@pytest.mark.usefixtures("stranger")
def test_a_certificate_that_nobody_vouches_for_is_broken_in_words(hub: Host) -> None:
    (told,) = rules(look(at(hub)), "T2")
    assert told["ruling"] == "broken"
    assert told["found"] == "the certificate does not verify: it is self-signed: nobody vouches for it"


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_name_is_broken_in_words(hub: Host) -> None:
    (told,) = rules(look(at(hub, "localhost")), "T2")
    assert told["found"] == "the certificate does not verify: it is of another name"


@pytest.fixture
def plain() -> Iterator[int]:
    """The port of a hub that speaks no TLS."""
    listener = socket.create_server(("127.0.0.1", 0))
    with in_thread(app(), listener, log_level="critical"):
        yield listener.getsockname()[1]


def test_a_port_that_speaks_no_tls_is_broken_in_words(plain: int) -> None:
    (told,) = rules(look(f"https://127.0.0.1:{plain}"), "T2")
    assert told["found"].startswith("no TLS is spoken there")


def test_an_address_of_http_is_broken_and_the_rest_is_looked_at_all_the_same(plain: int) -> None:
    told = look(f"http://127.0.0.1:{plain}")
    assert rules(told, "T2")[0]["found"].startswith("the address begins with http://")
    assert rulings(told, "T1") == ["kept"]


def test_where_nobody_answers_every_address_is_broken_and_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # held, and nobody listens
        told = look(f"https://127.0.0.1:{taken.getsockname()[1]}")
    silent = [one["rule"] for one in told["rules"] if "no answer" in one["found"]]
    assert silent == ["T1", "T2", "T7", "1.2", "7.3", "8.2", "8.2"]


# -- what it prints, and how it ends


@pytest.mark.usefixtures("trusted")
def test_it_ends_with_0_where_every_rule_is_kept(hub: Host) -> None:
    done = run(NAME, "--base-url", at(hub), "--json")
    assert (done.exit_code, json.loads(done.stdout)["broken"]) == (0, 0)


def test_it_ends_with_1_and_counts_where_a_rule_is_broken(hub: Host) -> None:
    done = run(NAME, "--base-url", at(hub), "--json")  # by a certificate that nobody here trusts
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert told["broken"] == sum(one["ruling"] == "broken" for one in told["rules"]) > 0


def judged(monkeypatch: pytest.MonkeyPatch, ruling: Ruling) -> None:
    """Have the checklist be one rule, found so."""
    one = Finding("T0", "One rule", ruling, "[red]this[/red]", "that", "do so")
    publication = Publication((), lambda looked: (one,))
    monkeypatch.setitem(CONNECTORS, NAME, replace(CONNECTORS[NAME], publication=publication))  # type: ignore[arg-type]


@pytest.mark.parametrize(("ruling", "code"), [(Ruling.KEPT, 0), (Ruling.LOOK, 0), (Ruling.BROKEN, 1)])
@pytest.mark.parametrize("shown", [(), ("--json",)], ids=["table", "json"])
def test_it_ends_with_1_only_where_a_rule_is_broken(
    monkeypatch: pytest.MonkeyPatch, ruling: Ruling, code: int, shown: tuple[str, ...]
) -> None:
    judged(monkeypatch, ruling)
    assert run(NAME, "--base-url", "https://127.0.0.1:9", *shown).exit_code == code


@pytest.mark.parametrize(
    ("ruling", "word"), [(Ruling.KEPT, "kept"), (Ruling.LOOK, "a person"), (Ruling.BROKEN, "broken")]
)
def test_the_table_says_what_is_there_what_is_allowed_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, ruling: Ruling, word: str
) -> None:
    judged(monkeypatch, ruling)
    told = run(NAME, "--base-url", "https://127.0.0.1:9").stdout
    assert [
        text for text in ("T0", "One rule", word, "[red]this[/red]", "Allowed: that", "do so") if text not in told
    ] == []


def test_the_json_line_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    judged(monkeypatch, Ruling.BROKEN)
    (told,) = look("https://127.0.0.1:9")["rules"]
    assert told == {
        "rule": "T0",
        "about": "One rule",
        "ruling": "broken",
        "found": "[red]this[/red]",
        "allowed": "that",
        "to_do": "do so",
    }


# -- the card


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card with one tag too many, and its icon beside it."""
    Image.new("RGB", (400, 400)).save(tmp_path / "icon.png")
    file = tmp_path / "card.yaml"
    file.write_text("name: Ромашка\ntags: [a, b, c, d, e, f]\nicon: icon.png\n", encoding="utf-8")
    return file


NOWHERE = "https://127.0.0.1:9"


def test_a_card_is_held_against_the_rules_with_its_pictures(card: Path) -> None:
    told = {one["about"]: one["ruling"] for one in look(NOWHERE, "--card", str(card))["rules"]}
    assert (told["Icon"], told["Number of tags"], told["Keywords"]) == ("kept", "broken", "look")


def refused(*arguments: str) -> str:
    """The one sentence a refused command says."""
    done = run(*arguments)
    assert isinstance(done.exception, HubError), done.output
    assert done.stdout == ""
    return str(done.exception)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tags: [", "is not YAML"),
        ("colour: red", "colour: Extra inputs are not permitted. Known: name, short_description"),
        ("just words", "the file: "),
        ("tags: calls", "tags: "),
        ("icon: gone.png", "gone.png cannot be read: No such file or directory."),
    ],
    ids=["no_yaml", "unknown_key", "no_mapping", "no_list", "no_picture"],
)
def test_a_card_that_cannot_be_used_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "card.yaml"
    file.write_text(text, encoding="utf-8")
    assert said in refused(NAME, "--base-url", NOWHERE, "--card", str(file))


def test_a_card_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    assert "cannot be read" in refused(NAME, "--base-url", NOWHERE, "--card", str(tmp_path / "gone.yaml"))


@pytest.mark.parametrize(
    "base_url", ["hub.example.com", "ftp://hub.example.com", "https://", "https://a@hub.example.com", "https://hub:port", "https://h?x=1", "https://☃.example"]
)  # fmt: skip
def test_an_address_that_is_none_is_one_sentence(base_url: str) -> None:
    assert "is not where a hub answers" in refused(NAME, "--base-url", base_url)


def test_a_connector_without_a_checklist_is_one_sentence() -> None:
    assert (
        refused("amocrm", "--base-url", NOWHERE)
        == "There is no checklist of a marketplace for amocrm; there is one for bitrix24."
    )


# -- the hub itself


@pytest.fixture
def real(database_url: str, tmp_path: Path, cert: tuple[Path, Path]) -> Iterator[Host]:
    """This hub, whose administrator registered the application and said who he is, behind that certificate."""
    registered = AppSettings(client_id="app.1", client_secret="secret", base_url="http://127.0.0.1:9")
    told = {"operator": "Romashka", "support_email": "help@romashka.example", "apps": {NAME: registered}}
    with worlds.still(database_url, tmp_path, **told) as made, serving(Host(), *cert) as host:
        host.app = made.app
        yield host


@pytest.mark.usefixtures("trusted")
def test_every_address_of_this_hub_keeps_the_rules(real: Host) -> None:
    told = look(at(real))
    asked = [
        one for one in told["rules"] if one["rule"] in ("T1", "T2", "T7", "1.2", "7.3") or "page /" in one["about"]
    ]
    assert [(one["about"], one["found"]) for one in asked if one["ruling"] != "kept"] == []
    assert len(asked) == 10


@pytest.mark.parametrize("language", ["ru", "en"])
async def test_the_pages_of_a_hub_that_nobody_has_named_say_what_is_looked_for(shared: World, language: str) -> None:
    text = html.unescape((await shared.web.get(f"/privacy?language={language}")).text)
    assert {to_do for said, to_do in cli_app._unnamed().items() if said in text} == set(cli_app._UNNAMED.values())
