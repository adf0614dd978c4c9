"""What is done before the day begins: the set-up file, and connecting the CRM as a person does it."""

from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import yaml

from sandbox.demo import company
from sandbox.demo.door import BROWSER, NoAnswer
from sandbox.demo.plan import Day
from sandbox.demo.sources import HOST, PLACEMENTS
from sandbox.demo.telephony import GENERIC_SECRET, MANGO_KEY, MANGO_SALT

MAIN_SITE = "Окна Ромашка"
MANGO, SMALL = "Mango Office", "Small provider"


def set_up_file(day: Day) -> dict[str, Any]:
    """Returns the content of the set-up file of this day's company."""
    opened = company.DAY.isoformat()
    placements = [
        {
            "name": one.name,
            "source": one.source,
            "campaign": one.campaign,
            "number": one.number,
            "starts_on": opened,
        }
        for one in PLACEMENTS
    ]
    main = {
        **_site(MAIN_SITE, HOST, company.OVERFLOW),
        "office": [company.OFFICE_NETWORK],
        "targets": [{"number": company.OFFICE, "group": "city"}, {"number": company.FREE, "group": "free"}],
        "pools": [
            {"name": "Main pool", "group": "city", "numbers": list(day.pool)},
            {
                "name": "Toll-free pool",
                "group": "free",
                "overflow_number": company.FREE_OVERFLOW,
                "numbers": list(company.free_pool_for(len(day.visits))),
            },
        ],
        "placements": placements,
    }
    spare = {
        **_site(company.SPARE_SITE, company.SPARE_HOST, company.SPARE_OVERFLOW),
        "pools": [{"name": "Spare pool", "numbers": list(company.SPARE_NUMBERS)}],
    }
    return {
        "tenant": company.TENANT,
        "owner": {"email": company.OWNER},
        "sites": [main, spare],
        "telephony": [
            {
                "name": MANGO,
                "adapter": "mango",
                "zone": company.ZONE,
                "secrets": {"vpbx_api_key": MANGO_KEY, "vpbx_api_salt": MANGO_SALT},
            },
            {
                "name": SMALL,
                "adapter": "generic",
                "zone": company.ZONE,
                "secrets": {"secret": GENERIC_SECRET},
            },
        ],
        "scenarios": {"amocrm": resources.files("sandbox.demo").joinpath("scenario.yaml").read_text("utf-8")},
    }


def _site(name: str, host: str, overflow: str) -> dict[str, Any]:
    return {
        "name": name,
        "hosts": [host],
        "zone": company.ZONE,
        "currency": company.CURRENCY,
        "overflow_number": overflow,
        "hold_minutes": 10,
    }


def write_set_up(day: Day, path: Path) -> None:
    """Writes the set-up file as YAML."""
    path.write_text(yaml.safe_dump(set_up_file(day), allow_unicode=True, sort_keys=False), encoding="utf-8")


class _Forms(HTMLParser):
    """Reads the forms of a page: where each goes and what it already holds."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((told.get("action", ""), {}))
        elif self.found and tag in ("input", "button") and told.get("name"):
            # Of several buttons the first is pressed.
            self.found[-1][1].setdefault(told["name"], told.get("value", ""))


def connect_crm(hub_url: str, password: str) -> None:
    """Logs in to the console and connects amoCRM the way a person does: form by form, page by page.

    Raises NoAnswer, naming the step, when a page is not what a person would need to go on.
    """
    with httpx.Client(headers={"user-agent": BROWSER}, timeout=30) as browser:
        entered = {"email": company.OWNER, "password": password}
        _submit(browser, browser.get(f"{hub_url}/login"), "login", entered)
        consent = _submit(browser, browser.get(f"{hub_url}/connections"), "/connect/amocrm", {})
        page = browser.get(urljoin(str(consent.url), consent.headers["location"]))
        agreed = _submit(browser, page, "", {})
        back = browser.get(urljoin(str(agreed.url), agreed.headers["location"]))
        if back.status_code != 303:
            raise NoAnswer(f"Connecting amoCRM ended with {back.status_code}: {_said(back)}")


def _submit(browser: httpx.Client, page: httpx.Response, action: str, entered: dict[str, str]) -> httpx.Response:
    """Fills in the form whose action ends like this (any form for an empty one) and sends it."""
    forms = _Forms()
    forms.feed(page.text)
    for goes_to, holds in forms.found:
        if goes_to.endswith(action):
            answer = browser.post(urljoin(str(page.url), goes_to), data={**holds, **entered})
            if answer.status_code not in (302, 303):
                raise NoAnswer(f"The form at {page.url} was answered with {answer.status_code}: {_said(answer)}")
            return answer
    raise NoAnswer(f"The page {page.url} ({page.status_code}) has no form for {action or 'consent'}: {_said(page)}")


def _said(page: httpx.Response) -> str:
    return " ".join(page.text.split())[:300]
