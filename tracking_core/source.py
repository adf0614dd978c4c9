"""Landing address + referrer -> Source: where a visit came from (DNI sheet, sections 5, 6 and 8)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, unquote_plus, urlsplit

from tracking_core.channel import CHANNEL_OF_HOST, Channel, channel_of_tags
from tracking_core.hosts import HostKind, host_of, plain_host, what_is

__all__ = ["CLICK_IDS", "Channel", "Source", "read_source"]

LONGEST_LANDING = 2_000  # characters kept
_LONGEST_READ = 16_384  # characters of an address we look at
_MOST_PARAMETERS = 200
_LONGEST_TAG = 255
_LONGEST_CLICK_ID = 512

# In the order of section 5, with what each tells alone; the other click ids do not say who was paid.
_PAID_CLICKS: dict[str, tuple[str, Channel]] = {
    "yclid": ("yandex", Channel.PAID_SEARCH),
    "gclid": ("google", Channel.PAID_SEARCH),
    "gbraid": ("google", Channel.PAID_SEARCH),
    "wbraid": ("google", Channel.PAID_SEARCH),
    "dclid": ("google", Channel.DISPLAY),
    "msclkid": ("bing", Channel.PAID_SEARCH),
    "fbclid": ("facebook", Channel.PAID_SOCIAL),
    "ttclid": ("tiktok", Channel.PAID_SOCIAL),
    "rb_clickid": ("vk", Channel.PAID_SOCIAL),
    "twclid": ("twitter", Channel.PAID_SOCIAL),
    "li_fat_id": ("linkedin", Channel.PAID_SOCIAL),
    "epik": ("pinterest", Channel.PAID_SOCIAL),
    "sccid": ("snapchat", Channel.PAID_SOCIAL),
    "rdt_cid": ("reddit", Channel.PAID_SOCIAL),
    "ymclid": ("yandex_market", Channel.PAID_OTHER),
    "irclickid": ("impact", Channel.PAID_OTHER),
}
_ORGANIC_CLICK = "ysclid"  # Yandex puts it on clicks in its organic results
CLICK_IDS = (*_PAID_CLICKS, _ORGANIC_CLICK, "admitad_uid", "click_id", "clickid", "subid")
_KNOWN_CLICKS = frozenset(CLICK_IDS)
_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term")

# Never kept in a landing address, which travels to the CRM: what opens doors, and whose door it is.
_SECRET = frozenset(
    {
        "access_token",
        "api_key",
        "apikey",
        "auth",
        "authorization",
        "client_secret",
        "email",
        "hash",
        "id_token",
        "jwt",
        "otp",
        "pass",
        "passwd",
        "password",
        "phone",
        "pwd",
        "refresh_token",
        "secret",
        "session",
        "session_id",
        "sessionid",
        "sid",
        "sign",
        "signature",
        "token",
    }
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a visit came from; "" for the unknown; source and medium in lower case, other tags as written.

    ``click_ids`` are (name, value) pairs, the one that decided the channel first. ``referrer_host`` has no
    ``www.``. ``landing`` is the address without secrets, at most 2,000 characters.
    """

    channel: Channel
    source: str = ""
    medium: str = ""
    campaign: str = ""
    content: str = ""
    term: str = ""
    click_ids: tuple[tuple[str, str], ...] = ()
    referrer_host: str = ""
    landing: str = ""

    @property
    def is_tagged(self) -> bool:
        """Says whether the landing address itself names a campaign: by utm tags or a click id."""
        tagged = self.click_ids or self.campaign or self.content or self.term
        return bool(tagged) or "utm_" in self.landing.lower()

    def is_same_campaign(self, other: "Source") -> bool:
        """Says whether this visit's source is the same campaign as an earlier one (section 8).

        A click id is compared with the earlier ones; without any, the utm sets are compared.
        """
        if self.click_ids:
            return not set(self.click_ids).isdisjoint(other.click_ids)
        return self._tags() == other._tags()

    def fields(self) -> Mapping[str, str]:
        """Returns what is known, by the names of CRM fields: utm_*, click ids, referrer, landing, channel."""
        named = {
            "channel": self.channel.value,
            **dict(zip(_UTM, self._tags(), strict=True)),
            **dict(self.click_ids),
            "referrer": self.referrer_host,
            "landing": self.landing,
        }
        return {name: told for name, told in named.items() if told}

    def _tags(self) -> tuple[str, ...]:
        return (self.source, self.medium, self.campaign, self.content, self.term)


def read_source(landing_url: str, referrer: str, own_hosts: Collection[str]) -> Source:
    """Returns the Source of a visit by the precedence of section 6.5: click id, utm tags, referrer, direct.

    A referrer on one of ``own_hosts``, their subdomains or a payment gateway is no source. Any text is
    accepted: what is not an address is a direct visit.
    """
    address = _split(landing_url)
    told = _parameters(address.query) if address.query else {}
    host = _outside_host(told.get("utm_referrer", ""), referrer, address, own_hosts)
    kind, name = what_is(host)
    clicks = _clicks(told, name)
    if kind is HostKind.NOBODY and _ORGANIC_CLICK in told:
        kind, name = HostKind.SEARCH, "yandex"
    tags = (
        told.get("utm_source", "").lower(),
        told.get("utm_medium", "").lower(),
        told.get("utm_campaign", ""),
    )
    channel, source, medium = _by_click(clicks, *tags) or _by_tags(kind, *tags) or _by_referrer(kind, name)
    return Source(
        channel=channel,
        source=source,
        medium=medium,
        campaign=tags[2],
        content=told.get("utm_content", ""),
        term=told.get("utm_term", ""),
        click_ids=clicks,
        referrer_host=host,
        landing=_landing(address),
    )


_Origin = tuple[Channel, str, str]  # channel, source, medium


def _by_click(clicks: tuple[tuple[str, str], ...], source: str, medium: str, campaign: str) -> _Origin | None:
    for name, _ in clicks:
        if name in _PAID_CLICKS:
            vendor, channel = _PAID_CLICKS[name]
            finer = channel_of_tags(source, medium, campaign)
            # The click id proves that an ad was paid for; the tags may know better which kind of ad.
            return finer if finer in _FINER else channel, source or vendor, medium or "cpc"
    return None


def _by_tags(referrer: HostKind, source: str, medium: str, campaign: str) -> _Origin | None:
    if not source and not medium:
        return None
    channel = channel_of_tags(source, medium, campaign)
    if channel is Channel.UNASSIGNED and not medium and referrer not in (HostKind.OTHER, HostKind.NOBODY):
        channel = CHANNEL_OF_HOST[referrer]
    return channel, source, medium


def _by_referrer(kind: HostKind, name: str) -> _Origin:
    channel = CHANNEL_OF_HOST[kind]
    return channel, name, _MEDIUM_OF_CHANNEL[channel]


_MEDIUM_OF_CHANNEL = {
    Channel.DIRECT: "",
    Channel.PAID_SEARCH: "cpc",
    Channel.ORGANIC_SEARCH: "organic",
    Channel.SOCIAL: "social",
    Channel.MESSENGER: "messenger",
    Channel.EMAIL: "email",
    Channel.AI: "ai",
    Channel.REFERRAL: "referral",
}
_FINER = frozenset({Channel.DISPLAY, Channel.PAID_VIDEO, Channel.PAID_SHOPPING, Channel.CROSS_NETWORK})
_NOWHERE = SplitResult("", "", "", "", "")


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(_clean(url[:_LONGEST_READ]))
    except ValueError:
        return _NOWHERE


def _clean(text: str) -> str:
    """Drops what a database or a header cannot carry: control characters and halves of surrogate pairs."""
    if text.isprintable():
        return text.strip()
    return "".join(char for char in text if char.isprintable() or char == "\xa0").strip()


def _parameters(query: str) -> dict[str, str]:
    """Names (lower case) and values of utm tags and click ids; the first non-empty value of a name counts."""
    told: dict[str, str] = {}
    for pair in query.split("&", _MOST_PARAMETERS)[:_MOST_PARAMETERS]:
        raw_name, _, raw = pair.partition("=")
        name = raw_name.lower()
        longest = _longest(name)
        if not raw or not longest or name in told:
            continue
        text = _decoded(raw) if "%" in raw or "+" in raw else raw.strip()
        # A tag that is cut still tells something; a click id that is cut is another click.
        if text and (len(text) <= longest or name not in _KNOWN_CLICKS):
            told[name] = text[:longest]
    return told


def _decoded(raw: str) -> str:
    # Campaigns and search terms come again and again, and decoding is the dearest step of reading an address.
    return _decoded_short(raw) if len(raw) <= _LONGEST_TAG else _clean(unquote_plus(raw))


@lru_cache(maxsize=8192)
def _decoded_short(raw: str) -> str:
    return _clean(unquote_plus(raw))


def _longest(name: str) -> int:
    """Characters kept of a parameter's value; 0 for one that is none of ours."""
    if name in _KNOWN_CLICKS:
        return _LONGEST_CLICK_ID
    if name == "utm_referrer":
        return LONGEST_LANDING
    return _LONGEST_TAG if name in _UTM else 0


def _outside_host(utm_referrer: str, referrer: str, address: SplitResult, own_hosts: Collection[str]) -> str:
    """The referring host unless the site's own or a payment gateway's; utm_referrer goes first (6.2)."""
    host = (host_of(utm_referrer) if utm_referrer else "") or (host_of(referrer) if referrer else "")
    if not host:
        return ""
    try:
        landed = plain_host(address.hostname or "")
    except ValueError:
        landed = ""
    own = host == landed or any(_is_within(host, plain_host(one)) for one in own_hosts)
    return "" if own or what_is(host)[0] is HostKind.PAYMENT else host


def _is_within(host: str, own: str) -> bool:
    return bool(own) and (host == own or host.endswith("." + own))


def _clicks(told: Mapping[str, str], referrer_name: str) -> tuple[tuple[str, str], ...]:
    """Click ids, the deciding one first: the referrer's own vendor, else the order of section 5."""
    found = [(name, told[name]) for name in CLICK_IDS if name in told]
    if len(found) > 1 and referrer_name:
        found.sort(key=lambda click: _PAID_CLICKS.get(click[0], ("",))[0] != referrer_name)
    return tuple(found)


def _landing(address: SplitResult) -> str:
    """The address without user, password, fragment and secret parameters, cut to LONGEST_LANDING."""
    url = address.path
    if host := address.netloc.rpartition("@")[2]:
        url = f"{address.scheme or 'https'}://{host}{url}"
    kept = "&".join(pair for pair in address.query.split("&") if pair and not _is_secret(pair))
    return (f"{url}?{kept}" if kept else url)[:LONGEST_LANDING]


def _is_secret(pair: str) -> bool:
    name = pair.partition("=")[0]
    return (unquote_plus(name) if "%" in name else name).lower() in _SECRET
