"""The sites: the line to paste, what the script found on the pages, who holds the numbers, and the rules in words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from hub.store.pages import Seen
from hub.store.sites_told import RuleTold, SiteTold, sites_told
from hub.web.console.page import page
from hub.web.console.shell import Desk, render
from hub.web.page_script import snippet
from hub.web.words.callback import HELLO

_PAGES = 20
_NAMED = 3  # pages that a finding names; the others are counted
_SILENT = timedelta(days=3)
_SOME_CODE = "000hhy05yp"  # to show what a code looks like


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence of the check; ``tone`` is good, warn or bad."""

    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class RuleInWords:
    """A rule as a person reads it: for which visits, and what each group shows."""

    name: str
    when: str
    shows: Sequence[tuple[str, str]]


@page
async def show(desk: Desk) -> Response:
    """Show every site of the tenant; nothing can be changed here."""
    sites = await desk.hub.db.read(sites_told, desk.tenant_id, desk.now)
    return render(desk, "sites.html", sites=[_told(desk, site) for site in sites])


def _told(desk: Desk, site: SiteTold) -> dict[str, Any]:
    line = snippet(desk.hub.settings.public_url, site.key)
    findings, of_pools = list(_findings(desk, site)), list(_of_pools(desk, site))
    return {
        "site": site,
        "line": line,
        "forms_line": snippet(desk.hub.settings.public_url, site.key, "/enquiries"),
        "mail": _mail(desk, site, line),
        "status": _status(site, [*findings, *of_pools]),
        "findings": findings,
        "of_pools": of_pools,
        "pages": site.seen[:_PAGES],
        "found_on": {group: _pages_with(site, group) for group in _groups(site)},
        "rules": [_in_words(desk, site, rule) for rule in site.rules],
        "others": _others(desk, site),
        "says_where": _says_where(site),
        "letters": _letters(desk, site),
        "hello": _hello(desk, site),
    }


def _mail(desk: Desk, site: SiteTold, line: str) -> str:
    """Return the address of a letter that brings the line to whoever edits the pages."""
    subject = desk.words("sites.mail_subject", host=", ".join(site.hosts))
    body = desk.words("sites.mail_body", line=line)
    return f"mailto:?subject={quote(subject, safe='')}&body={quote(body, safe='')}"


def _letters(desk: Desk, site: SiteTold) -> dict[str, str] | None:
    """Return what the mail server needs, and the address a visitor sees; None where letters are not followed."""
    if site.mail is None:
        return None
    url = f"{desk.hub.settings.public_url.rstrip('/')}/mail/v1/{site.mail_token}"
    shown = site.mail["reply"].replace("{code}", _SOME_CODE)
    return {"url": url, "command": f"curl -sS --data-binary @- {url}", "shown": shown}


def _hello(desk: Desk, site: SiteTold) -> str:
    """Return what a first message in a messenger says; empty where links to messengers are left alone."""
    if site.messengers is None:
        return ""
    return f"{site.messengers.get('text') or HELLO[desk.words.language]} (№ {_SOME_CODE})"


def _status(site: SiteTold, findings: Sequence[Finding]) -> str:
    if not site.seen:
        return "unseen"
    return "works" if all(finding.tone == "good" for finding in findings) else "look"


# -- what happened, why, and what to do


def _findings(desk: Desk, site: SiteTold) -> Iterator[Finding]:
    t = desk.words
    if site.seen:
        yield from _seen(desk, site)
    if not desk.hub.settings.public_url.startswith("https://"):
        yield Finding("warn", t("sites.find.not_https", url=desk.hub.settings.public_url))
    by_region = [rule.name for rule in site.rules if "region" in rule.conditions]
    if by_region and desk.hub.settings.geo_database is None:
        yield Finding("warn", t("sites.find.no_regions", rules=", ".join(by_region)))
    if not site.targets:
        yield Finding("bad", t("sites.find.no_targets"))
    else:
        yield from _left_alone(desk, site)


def _seen(desk: Desk, site: SiteTold) -> Iterator[Finding]:
    t, latest = desk.words, site.seen[0].at
    seen = t.count("sites.seen.pages", len(site.seen), when=desk.f.when(latest, desk.now))
    places = sum(sum(one.found.values()) for one in site.seen)
    yield Finding("good" if places else "warn", f"{seen} {t.count('sites.seen.places', places)}")
    if desk.now - latest > _SILENT:
        yield Finding("warn", t("sites.find.silent", when=desk.f.moment(latest)))
    yield from _pictures(desk, [one for one in site.seen if one.images])
    for group in dict.fromkeys(one.group_name for one in site.targets):
        if not _pages_with(site, group):
            numbers = ", ".join(desk.f.phone(one.e164) for one in site.targets if one.group_name == group)
            yield Finding("bad", t("sites.find.never", numbers=numbers, group=group))


def _pictures(desk: Desk, pages: Sequence[Seen]) -> Iterator[Finding]:
    if pages:
        named = ", ".join(one.page for one in pages[:_NAMED])
        more = len(pages) - _NAMED
        tail = f" {desk.words.count('sites.more_pages', more)}" if more > 0 else ""
        yield Finding("warn", desk.words("sites.find.picture", pages=named + tail))


def _left_alone(desk: Desk, site: SiteTold) -> Iterator[Finding]:
    """Say which groups have numbers on the pages and nothing that could stand in for them."""
    served = {pool.group_name for pool in site.pools} | {group for rule in site.rules for group in rule.shows}
    for group in dict.fromkeys(one.group_name for one in site.targets):
        if group not in served:
            yield Finding("warn", desk.words("sites.find.no_pool", group=group))


def _of_pools(desk: Desk, site: SiteTold) -> Iterator[Finding]:
    """Say which pools are never shown, and which have nothing free."""
    t, on_pages = desk.words, {one.group_name for one in site.targets}
    for pool in site.pools:
        if site.targets and pool.group_name not in on_pages:
            yield Finding("bad", t("sites.find.no_target", pool=pool.name, group=pool.group_name))
        if pool.stranded and site.destination is None and _says_where(site):
            yield Finding("warn", t.count("sites.find.stranded", pool.stranded, pool=pool.name))
        if pool.free == 0:
            other = desk.f.phone(pool.overflow_number or site.overflow_number)
            yield Finding("warn", t("sites.find.full", pool=pool.name, number=other))


def _says_where(site: SiteTold) -> bool:
    """Say whether anything of the site says where its calls ring: where nothing does, telephony decides."""
    said = [site.destination, *(pool.destination for pool in site.pools), *(one.destination for one in site.placements)]
    return bool(site.singles) or any(said)


def _pages_with(site: SiteTold, group: str) -> int:
    return sum(1 for one in site.seen if one.found.get(group))


# -- the rules in words


def _groups(site: SiteTold) -> list[str]:
    return list(dict.fromkeys([*(one.group_name for one in site.targets), *(pool.group_name for pool in site.pools)]))


def _in_words(desk: Desk, site: SiteTold, rule: RuleTold) -> RuleInWords:
    t = desk.words
    both = f" {t('sites.and')} "
    when = both.join(_condition(desk, name, values) for name, values in rule.conditions.items())
    shows = [(group, _shown(desk, site, asked)) for group, asked in rule.shows.items()]
    return RuleInWords(rule.name, t("sites.when", when=when) if when else t("sites.always"), shows)


def _condition(desk: Desk, name: str, values: Sequence[str]) -> str:
    t = desk.words
    family = {"channel": "channel", "device": "sites.device"}.get(name)
    named = [t.region(value) if name == "region" else t.of(family, value) if family else value for value in values]
    quoted = [t("sites.quoted", text=text) for text in named]
    return t("sites.is", name=t.of("sites.condition", name), values=f" {t('sites.or')} ".join(quoted) or "—")


def _shown(desk: Desk, site: SiteTold, asked: Any) -> str:
    """Say what a group shows; what is not there any more leaves the site's own number."""
    t = desk.words
    asked = asked if isinstance(asked, Mapping) else {}
    if "pool" in asked:
        is_there = any(pool.name == asked["pool"] for pool in site.pools)
        return t("sites.shows.pool" if is_there else "sites.shows.no_pool", name=asked["pool"])
    if "placement" in asked:
        e164 = next((one.e164 for one in site.placements if one.name == asked["placement"]), None)
        key = "sites.shows.placement" if e164 else "sites.shows.no_placement"
        return t(key, name=asked["placement"], number=desk.f.phone(e164))
    return t("sites.shows.own")


def _others(desk: Desk, site: SiteTold) -> list[tuple[str, str]]:
    """Say what visits see that no rule decides for: each group's first pool."""
    first = {pool.group_name: {"pool": pool.name} for pool in reversed(site.pools)}
    return [(group, _shown(desk, site, first.get(group, "own"))) for group in _groups(site)]
