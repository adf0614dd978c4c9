"""Where visitors come from: sources with their landing addresses, referrers and costs, and media with numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import urlencode

_CLICK_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_FRONT_PAGES = 4  # the first pages of a site are those a visitor without a campaign lands on


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign; `click_minor` is the price of a click in kopecks, `utm` what its links carry."""

    name: str
    page: str
    weight: float
    click_minor: int
    utm: Mapping[str, str]
    terms: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class WebSource:
    """One source: its part of all visits, how readily its visitors call, and how they arrive."""

    key: str
    share: float
    calls: float
    referrer: str
    click_id: str = ""
    campaigns: Sequence[Campaign] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """One offline medium with a number of its own; `cost_minor` is its cost of the day in kopecks."""

    name: str
    source: str
    campaign: str
    number: str
    cost_minor: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """How one visit begins: the address it lands on and the referrer the browser tells."""

    source: str
    campaign: str
    url: str
    referrer: str


def paid(name: str, page: str, weight: float, click: int, source: str, *terms: str) -> Campaign:
    """Returns a campaign whose clicks cost so many kopecks each."""
    utm = {"utm_source": source, "utm_medium": "cpc", "utm_campaign": name}
    return Campaign(name, page, weight, click, utm, terms)


def tagged(name: str, page: str, source: str, medium: str) -> Campaign:
    """Returns a campaign whose clicks cost nothing."""
    return Campaign(name, page, 1, 0, {"utm_source": source, "utm_medium": medium, "utm_campaign": name})


def pick_source(web: Sequence[WebSource], random: Random) -> WebSource:
    """Returns a source by its share of visits."""
    return random.choices(web, [source.share for source in web])[0]


def arrive(source: WebSource, random: Random, origin: str, pages: Sequence[str]) -> Arrival:
    """Returns how one visitor from this source arrives, with a click id of his own where it has them."""
    if not source.campaigns:
        page = random.choice(pages[:_FRONT_PAGES])
        return Arrival(source.key, "", f"{origin}{page}", source.referrer)
    campaign = random.choices(source.campaigns, [one.weight for one in source.campaigns])[0]
    query = dict(campaign.utm)
    if campaign.terms:
        query["utm_term"] = random.choice(campaign.terms)
    if source.click_id:
        query[source.click_id] = _click_id(source.click_id, random)
    return Arrival(source.key, campaign.name, f"{origin}{campaign.page}?{urlencode(query)}", source.referrer)


def _click_id(kind: str, random: Random) -> str:
    if kind == "yclid":
        return str(random.randrange(10**17, 10**18))
    return "Cj0KCQ" + "".join(random.choices(_CLICK_ALPHABET, k=60))
