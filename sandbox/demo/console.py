"""What a company's owner does at the hub's console with his browser: log in, agree to a link, look around."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

from sandbox.demo.door import NoAnswer


@dataclass(frozen=True, slots=True)
class Connection:
    """How the CRM was connected: what its one request was answered with (None: nothing), how soon, and the story."""

    answered: int | None
    answer_ms: float
    story: Sequence[str]


def log_in(browser: httpx.Client, address: str, owner: Mapping[str, str]) -> httpx.Response:
    """Opens a page of the console, logs in where it asks, and returns the page."""
    login = browser.get(address, follow_redirects=True)
    return followed(browser, submit(browser, login, "/login", owner))


def link(browser: httpx.Client, address: str, owner: Mapping[str, str], connector: str) -> httpx.Response:
    """Goes where Connect leads, logs in and agrees; returns the answer to that."""
    return submit(browser, log_in(browser, address, owner), f"/link/{connector}", {})


def followed(browser: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """Returns the page that an answer sends the browser to."""
    return browser.get(urljoin(str(answer.url), answer.headers["location"]))


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


def submit(browser: httpx.Client, page: httpx.Response, action: str, entered: Mapping[str, str]) -> httpx.Response:
    """Fills in the form whose action ends like this and sends it."""
    forms = _Forms()
    forms.feed(page.text)
    for goes_to, holds in forms.found:
        if goes_to.endswith(action):
            answer = browser.post(urljoin(str(page.url), goes_to), data={**holds, **entered})
            if answer.status_code not in (302, 303):
                raise NoAnswer(f"The form at {page.url} was answered with {answer.status_code}: {said(answer)}")
            return answer
    raise NoAnswer(f"The page {page.url} ({page.status_code}) has no form for {action}: {said(page)}")


def said(page: httpx.Response) -> str:
    """Returns the beginning of what a page says."""
    return " ".join(page.text.split())[:300]
