"""Where the day's visitors come from: twelve sources, each with its landing addresses, referrer and cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import urlencode, urlsplit

from sandbox.demo.company import FREE, OFFICE

HOST = "okna-romashka.example"
ORIGIN = f"https://{HOST}"
PAGES = ("/", "/okna", "/balkony", "/montazh", "/ceny", "/kontakty", "/akcii", "/otzyvy")
_SHOW_FREE = ("/ceny", "/kontakty")
_CLICK_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


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


def _paid(name: str, page: str, weight: float, click: int, source: str, *terms: str) -> Campaign:
    utm = {"utm_source": source, "utm_medium": "cpc", "utm_campaign": name}
    return Campaign(name, page, weight, click, utm, terms)


def _tagged(name: str, page: str, source: str, medium: str) -> Campaign:
    return Campaign(name, page, 1, 0, {"utm_source": source, "utm_medium": medium, "utm_campaign": name})


WEB: Sequence[WebSource] = (
    WebSource(
        "yandex_direct",
        0.26,
        1.5,
        "https://yandex.ru/",
        "yclid",
        (
            _paid("okna-moskva-poisk", "/okna", 5, 55_440, "yandex", "пластиковые окна", "окна цена"),
            _paid("balkony-rsya", "/balkony", 3, 22_890, "yandex"),
            _paid("brend", "/", 1, 7_620, "yandex", "окна ромашка"),
        ),
    ),
    WebSource(
        "google_ads",
        0.14,
        1.3,
        "https://www.google.com/",
        "gclid",
        (
            _paid("windows-search", "/okna", 3, 45_930, "google", "окна пвх"),
            _paid("balcony-search", "/balkony", 2, 36_780, "google", "остекление балкона"),
        ),
    ),
    WebSource(
        "vk_ads",
        0.09,
        0.6,
        "https://vk.com/",
        "",
        (
            _paid("novosely", "/akcii", 2, 14_340, "vk", "новосёлы"),
            _paid("lookalike-dacha", "/okna", 1, 11_910, "vk"),
        ),
    ),
    WebSource("yandex_organic", 0.17, 1.0, "https://yandex.ru/"),
    WebSource("google_organic", 0.09, 0.9, "https://www.google.ru/"),
    WebSource("social_vk", 0.05, 0.5, "https://m.vk.com/"),
    WebSource("telegram", 0.04, 0.6, "https://t.me/"),
    WebSource("email", 0.05, 0.9, "", "", (_tagged("noyabr-akciya", "/akcii", "newsletter", "email"),)),
    WebSource("referral", 0.03, 0.8, "https://remont-forum.example/topic/4821"),
    WebSource("direct", 0.08, 1.2, ""),
)

PLACEMENTS: Sequence[Placement] = (
    Placement("Billboard on Leninsky", "billboard", "leninsky-prospekt", "+74951500001", 1_250_050),
    Placement("Leaflets in new houses", "leaflet", "novostroyki", "+74951500002", 480_025),
)


def numbers_on(url: str) -> Sequence[str]:
    """Returns the company's own numbers in the text of a page, the foremost first."""
    return (FREE, OFFICE) if urlsplit(url).path in _SHOW_FREE else (OFFICE,)


def pick_source(random: Random) -> WebSource:
    """Returns a source by its share of visits."""
    return random.choices(WEB, [source.share for source in WEB])[0]


def source_named(key: str) -> WebSource:
    """Returns the source with this key."""
    return next(source for source in WEB if source.key == key)


def arrive(source: WebSource, random: Random) -> Arrival:
    """Returns how one visitor from this source arrives, with a click id of his own where it has them."""
    if not source.campaigns:
        page = random.choice(PAGES[:4])
        return Arrival(source.key, "", f"{ORIGIN}{page}", source.referrer)
    campaign = random.choices(source.campaigns, [one.weight for one in source.campaigns])[0]
    query = dict(campaign.utm)
    if campaign.terms:
        query["utm_term"] = random.choice(campaign.terms)
    if source.click_id:
        query[source.click_id] = _click_id(source.click_id, random)
    return Arrival(source.key, campaign.name, f"{ORIGIN}{campaign.page}?{urlencode(query)}", source.referrer)


def _click_id(kind: str, random: Random) -> str:
    if kind == "yclid":
        return str(random.randrange(10**17, 10**18))
    return "Cj0KCQ" + "".join(random.choices(_CLICK_ALPHABET, k=60))
