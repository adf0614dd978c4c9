"""Bitrix24's rules of publication, as far as a program can see them (sheet sections 1.2, 7.3, 8.1, 8.2).

What our addresses answer is judged here, what the connector is in ``publication_app``, the card of the application in
``publication_card``. Pure functions: the hub asks its own addresses and hands over what they answered.
"""

import html
import re
from collections.abc import Callable, Iterator

from connectors.bitrix24.publication_app import LOG, app_findings
from connectors.bitrix24.publication_card import card_findings
from connectors.errors import ConnectorError
from connectors.publication import Ask, Finding, Looked, Publication, Ruling

PAGE = "/frame/bitrix24"  # to register as the application URL and as the installer URL
EVENTS = "/oauth/bitrix24/callback"  # to register as the installation event handler URL
PAPERS = ("/privacy", "/support")

HEAD_PAGE, GET_PAGE, POST_EVENT = Ask("HEAD", PAGE), Ask("GET", PAGE), Ask("POST", EVENTS)
ASKS = (HEAD_PAGE, GET_PAGE, POST_EVENT, LOG, *(Ask("GET", path) for path in PAPERS))

_FOUND = (200, 301, 302)
_NO_DOOR = (404, 405, 410)
_SHOWN = (*_FOUND, 405)  # a page may refuse a GET [7.3]
# What OpenSSL says of a certificate -> what that means, and what to do.
_CERTIFICATE = (
    (
        "self-signed certificate",
        "it is self-signed: nobody vouches for it",
        "Get one of a public authority; DV will do.",
    ),
    (
        "unable to get local issuer certificate",
        "its authority is not known here, or the server does not send the whole chain",
        "Have the server send the intermediate certificates, too.",
    ),
    ("certificate has expired", "it has expired", "Renew it, and have it renewed by itself."),
    ("certificate is not yet valid", "its time has not begun", "Compare the clocks of server and authority."),
    ("mismatch", "it is of another name", "Get one of the name in --base-url."),
)
# Those that tell no other site more than our origin.
_DISCREET = frozenset(
    {
        "no-referrer",
        "same-origin",
        "origin",
        "strict-origin",
        "origin-when-cross-origin",
        "strict-origin-when-cross-origin",
    }
)


def check(looked: Looked) -> tuple[Finding, ...]:
    """Return what is found of each rule: in the order of the checklist, then what other sections ask for."""
    return (
        _registered(looked),
        _certificate(looked),
        *app_findings(looked.connector, looked.answers[LOG]),
        _takes_events(looked),
        *_headers(looked),
        *(_paper(looked, path) for path in PAPERS),
        *card_findings(looked.card),
    )


publication = Publication(ASKS, check)


def _registered(looked: Looked) -> Finding:
    about, allowed = "Application URL and installer URL answer HEAD", "200, 301 or 302"
    return _answered(looked, HEAD_PAGE, "T1", about, allowed, lambda status: status in _FOUND)


def _takes_events(looked: Looked) -> Finding:
    """Judge the address of events by an empty one: it is refused where events are taken, and does nothing [1.2]."""
    about, allowed = "The address of installation events takes POST", "an answer other than 404, 405, 410 and 5xx"
    return _answered(looked, POST_EVENT, "1.2", about, allowed, lambda status: status < 500 and status not in _NO_DOOR)


def _answered(looked: Looked, ask: Ask, rule: str, about: str, allowed: str, is_kept: Callable[[int], bool]) -> Finding:
    """Judge one of our addresses by the status it answers with."""
    found = looked.answers[ask]
    if isinstance(found, ConnectorError):
        return _unanswered(rule, about, found, allowed)
    said = f"{looked.base_url}{ask.path} answers {found.status}"
    if is_kept(found.status):
        return Finding(rule, about, Ruling.KEPT, said)
    to_do = f"Name the application in HUB_APPS, start the hub anew, and let the proxy pass {ask.method}."
    return Finding(rule, about, Ruling.BROKEN, said, allowed, to_do)


def _unanswered(rule: str, about: str, error: ConnectorError, allowed: str) -> Finding:
    to_do = "Compare --base-url with where the hub answers, and mend T2 first."
    return Finding(rule, about, Ruling.BROKEN, f"no answer: {error.detail}", allowed, to_do)


def _certificate(looked: Looked) -> Finding:
    about, allowed = "TLS with a certificate that verifies", "https, with a DV certificate at least"
    if not looked.base_url.lower().startswith("https://"):
        said = "the address begins with http://: neither a portal nor the marketplace opens it"
        return Finding("T2", about, Ruling.BROKEN, said, allowed, "Put the hub behind a proxy that speaks https.")
    failed = [one.detail for one in looked.answers.values() if isinstance(one, ConnectorError)]
    if len(failed) < len(looked.answers):
        return Finding("T2", about, Ruling.KEPT, "the certificate was verified by the authorities of this machine")
    said, to_do = _in_words(failed[0])
    return Finding("T2", about, Ruling.BROKEN, said, allowed, to_do)


def _in_words(detail: str) -> tuple[str, str]:
    """Return what is wrong with a connection over TLS, and what to do."""
    found = re.search(r"certificate verify failed: (.+?)\.?(?: \(_ssl|$)", detail)
    if found:
        told = found[1].replace("self signed", "self-signed")
        known = next((one for one in _CERTIFICATE if one[0] in told), ("", told, "Get another certificate."))
        return f"the certificate does not verify: {known[1]}", known[2]
    if "SSL" in detail:
        return f"no TLS is spoken there: {detail}", "Let the proxy speak TLS at this port."
    return f"no certificate was seen, no answer: {detail}", "Compare --base-url with where the hub answers."


def _headers(looked: Looked) -> Iterator[Finding]:
    """Judge the headers of our page in the portal, as it answers outside of one [7.3]."""
    about, found = "Headers of our page in the portal", looked.answers[GET_PAGE]
    if isinstance(found, ConnectorError):
        yield _unanswered("7.3", about, found, "a page")
        return
    if found.status not in _SHOWN:
        said, to_do = f"{looked.base_url}{PAGE} answers {found.status}", "Mend T1: there is no page yet."
        yield Finding("7.3", about, Ruling.BROKEN, said, "a page", to_do)
        return
    yield _no_frame_options(found.headers.get("x-frame-options"))
    yield _ancestors(found.headers.get("content-security-policy", ""))
    yield _referrer(found.headers.get("referrer-policy", ""))
    yield _no_cookie("set-cookie" in found.headers)


def _no_frame_options(value: str | None) -> Finding:
    about = "No X-Frame-Options on our page"
    if value is None:
        return Finding("7.3", about, Ruling.KEPT, "there is none")
    to_do = "Have the proxy leave it out: with it no portal shows the page."
    return Finding("7.3", about, Ruling.BROKEN, f"X-Frame-Options: {value}", "no such header", to_do)


def _ancestors(policy: str) -> Finding:
    """Judge whether our page says who may show it; outside of a portal it shows nothing, so anybody or nobody may."""
    about = "Our page says who may show it in a frame"
    directives = (one.strip() for one in re.split("[;,]", policy.lower()))
    found = next((one for one in directives if one.split(" ")[0] == "frame-ancestors"), None)
    if found is not None:
        return Finding("7.3", about, Ruling.KEPT, found)
    to_do = "Have the proxy pass the Content-Security-Policy of the hub."
    return Finding(
        "7.3", about, Ruling.BROKEN, "no frame-ancestors", "Content-Security-Policy: frame-ancestors …", to_do
    )


def _referrer(value: str) -> Finding:
    """Judge whether the page's address, which may name a portal, stays here; the last policy a browser knows counts."""
    about = "Our page tells nobody its whole address"
    named = [one.strip() for one in value.lower().split(",") if one.strip()]
    if named and named[-1] in _DISCREET:
        return Finding("7.3", about, Ruling.KEPT, f"Referrer-Policy: {value}")
    said = f"Referrer-Policy: {value}" if named else "no Referrer-Policy"
    return Finding(
        "7.3", about, Ruling.BROKEN, said, "no-referrer, or same-origin", "Have the proxy pass the header of the hub."
    )


def _no_cookie(is_set: bool) -> Finding:
    about = "Our page needs no cookie"
    if not is_set:
        return Finding("7.3", about, Ruling.KEPT, "none is set")
    to_do = "Have the proxy set none there: in a frame it is another site's, and browsers drop it."
    return Finding("7.3", about, Ruling.BROKEN, "a cookie is set", "no Set-Cookie", to_do)


def _paper(looked: Looked, path: str) -> Finding:
    """Judge a page that a moderator opens."""
    about, found = f"The page {path} says who you are", looked.answers[Ask("GET", path)]
    if isinstance(found, ConnectorError):
        return _unanswered("8.2", about, found, "200")
    if found.status != 200:
        said = f"{looked.base_url}{path} answers {found.status}"
        return Finding("8.2", about, Ruling.BROKEN, said, "200", "Let the proxy pass this address to the hub.")
    text = html.unescape(found.body.decode("utf-8", "replace"))
    missing = {said: to_do for said, to_do in looked.unnamed.items() if said in text}
    if not missing:
        return Finding("8.2", about, Ruling.KEPT, f"{looked.base_url}{path} answers 200 and names you")
    to_do = " ".join(dict.fromkeys(missing.values()))
    return Finding("8.2", about, Ruling.BROKEN, f"it says: {'; '.join(missing)}", "your name and an e-mail", to_do)
