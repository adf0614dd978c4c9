"""A hub of real processes between a site with the page script, a real exchange and the CRM's sandbox."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from hub.web.page_script import snippet
from sandbox.demo.market import install
from tests.phone import exchange as exchanges
from tests.phone import machine
from tests.phone.exchange import Exchange, PhoneCall
from tests.phone.machine import LOOPBACK, until
from tests.processes import free_port, running
from tests.sandbox.loopback import served

OWN_NUMBER, STATIC_NUMBER, NEVER_SHOWN = "+74957770001", "+74952220001", "+74953330001"
_OWNER, _PASSWORD, _SECRET = "owner@okna.example", "correct-horse-battery", "between-exchange-and-hub"
_SCENARIO = Path(__file__).parents[2] / "connectors" / "scenarios" / "ru" / "calls_to_deals.yaml"
_LAST = 40  # lines of a log that a failed test shows
_SETUP = f"""
tenant: Окна Москвы
owner: {{email: {_OWNER}, password: {_PASSWORD}}}
sites:
  - name: okna
    hosts: [okna.localhost]
    overflow_number: "+7 495 100-00-00"
    destination: "sip:main@{LOOPBACK}:OFFICE_PORT"
    targets:
      - number: "{OWN_NUMBER}"
    pools:
      - name: main
        numbers: {[f"+7495111{place:04d}" for place in range(1, 21)]}
      - name: spare
        numbers: ["{NEVER_SHOWN}"]
    placements:
      - {{name: Щит на МКАД, source: billboard, campaign: mkad-42, number: "{STATIC_NUMBER}"}}
telephony:
  - {{name: office, adapter: kamailio, secrets: {{secret: {_SECRET}}}}}
scenarios:
  amocrm: calls_to_deals.yaml
"""
_PAGE = """<!doctype html><html lang="ru"><head><meta charset="utf-8"><title>Окна</title>{snippet}</head>
<body><a id="phone" href="tel:+74957770001">+7 (495) 777-00-01</a></body></html>"""


@dataclass(frozen=True)
class Stage:
    """Everything of one customer, each at its address on loopback; all logs are in one folder."""

    folder: Path
    hub: httpx.Client  # its programming interface
    crm: httpx.Client
    site: str
    exchange: Exchange

    def landing(self, tags: Mapping[str, str]) -> str:
        """Return the address a visitor comes to from an advertisement."""
        return f"{self.site}/?{urlencode(tags)}"

    def told(self, call: PhoneCall) -> dict[str, Any]:
        """Wait until the CRM has been told of a call, and return it as the hub knows it."""

        def look() -> dict[str, Any] | None:
            known = self.hub.get("/api/v1/calls").raise_for_status().json()["calls"]
            ours = next((one for one in known if one["provider_call_id"] == call.id), None)
            sent = [delivery["state"] for delivery in ours["deliveries"]] if ours else []
            return ours if sent == ["delivered"] else None

        return until(look, f"{call.id} is known and its delivery done")

    def deal(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """Return the deal that was made of a call, with its fields by code, its notes and its tasks."""
        (number,) = [int(ref["id"]) for ref in told["deliveries"][0]["refs"] if ref["kind"] == "deal"]
        state = self.crm.get("/_sandbox/state").raise_for_status().json()
        (lead,) = [one for one in state["leads"] if one["id"] == number]
        fields = {one["field_code"]: one["values"][0]["value"] for one in lead["custom_fields_values"] or []}
        about = {kind: [one for one in state[kind] if one["entity_id"] == number] for kind in ("notes", "tasks")}
        return {"fields": fields, **about}

    def story(self) -> str:
        """Return what a person reads first when a call went wrong: the ladders, then the end of each log."""
        told = [f"All of it is in {self.folder}\n"]
        told += [file.read_text(encoding="utf-8") for file in sorted(self.folder.glob("*.ladder"))]
        with suppress(httpx.HTTPError):
            told.append(f"-- the hub's status\n{self.hub.get('/api/v1/status').text}\n")
        for log in ("kamailio.log", "hub.log"):
            lines = (self.folder / log).read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST:]
            told.append("\n".join((f"-- the end of {log}", *lines, "")))
        return "\n".join(told)


@contextmanager
def opened(folder: Path) -> Iterator[Stage]:
    """Set up a customer, start everything of his, and connect his CRM."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    office_port = machine.free_port()
    (folder / "setup.yaml").write_text(_SETUP.replace("OFFICE_PORT", str(office_port)), encoding="utf-8")
    (folder / "calls_to_deals.yaml").write_text(_SCENARIO.read_text(encoding="utf-8"), encoding="utf-8")
    with ExitStack() as stack:
        sandbox = ("sandbox", "amocrm", "--port", "0", "--not-installed")
        sandbox += ("--redirect-uri", f"{url}/oauth/amocrm/callback")
        crm = stack.enter_context(running(*sandbox, environment={}, log=folder / "crm.log")).printed
        environment = _environment(folder, url, crm)
        apply = ("hub", "apply", str(folder / "setup.yaml"), "--json")
        with running(*apply, environment=environment, log=folder / "apply.log") as applying:
            applied = applying.printed
        up = ("hub", "up", "--port", str(port), "--json")
        stack.enter_context(running(*up, environment=environment, log=folder / "hub.log"))
        install(crm["base_url"], url, {"email": _OWNER, "password": _PASSWORD}, time.sleep)
        exchange = exchanges.opened(folder, f"{url}{applied['telephony'][0]['path']}", _SECRET, office_port)
        bearer = {"authorization": f"Bearer {applied['api_token']}"}
        site = stack.enter_context(served(_site(url, applied["sites"][0]["key"]), lifespan="off"))
        yield Stage(
            folder,
            stack.enter_context(httpx.Client(base_url=url, headers=bearer, timeout=30)),
            stack.enter_context(httpx.Client(base_url=crm["base_url"], timeout=30)),
            site.replace("127.0.0.1", "www.okna.localhost"),
            stack.enter_context(exchange),
        )


def _environment(folder: Path, url: str, crm: Mapping[str, Any]) -> dict[str, str]:
    app = {name: crm[name] for name in ("client_id", "client_secret", "base_url")}
    return {
        "HUB_DATA_DIR": str(folder / "hub"),
        "HUB_DATABASE_URL": "",
        "HUB_PUBLIC_URL": url,
        "HUB_APPS": json.dumps({"amocrm": app}),
    }


def _site(hub_url: str, key: str) -> Starlette:
    """Return the customer's site: one page that carries the hub's line and the customer's own number."""

    async def page(_request: Request) -> Response:
        return HTMLResponse(_PAGE.format(snippet=snippet(hub_url, key)))

    return Starlette(routes=[Route("/", page)])
