"""Tags of an address -> Channel: Google's default channel group and Metrica's rows (sheet dni, 6.1, 6.2)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from tracking_core.hosts import HostKind, what_is


class Channel(StrEnum):
    """The group of sources a report shows; one visit has exactly one."""

    DIRECT = "direct"
    PAID_SEARCH = "paid_search"
    PAID_SOCIAL = "paid_social"
    PAID_VIDEO = "paid_video"
    PAID_SHOPPING = "paid_shopping"
    CROSS_NETWORK = "cross_network"
    DISPLAY = "display"
    PAID_OTHER = "paid_other"
    ORGANIC_SEARCH = "organic_search"
    SHOPPING = "shopping"
    VIDEO = "video"
    SOCIAL = "social"
    MESSENGER = "messenger"
    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    AFFILIATE = "affiliate"
    AUDIO = "audio"
    AI = "ai"
    OFFLINE = "offline"
    REFERRAL = "referral"
    UNASSIGNED = "unassigned"


CHANNEL_OF_HOST = {
    HostKind.ADS: Channel.PAID_SEARCH,
    HostKind.SEARCH: Channel.ORGANIC_SEARCH,
    HostKind.SOCIAL: Channel.SOCIAL,
    HostKind.MESSENGER: Channel.MESSENGER,
    HostKind.EMAIL: Channel.EMAIL,
    HostKind.AI: Channel.AI,
    HostKind.PAYMENT: Channel.DIRECT,
    HostKind.OTHER: Channel.REFERRAL,
    HostKind.NOBODY: Channel.DIRECT,
}

_SEARCH = frozenset(
    {
        "adwords",
        "baidu",
        "bing",
        "brave",
        "duckduckgo",
        "ecosia",
        "google",
        "google_ads",
        "google-ads",
        "googleads",
        "naver",
        "qwant",
        "rambler",
        "seznam",
        "startpage",
        "yahoo",
        "yandex",
        "yandex_direct",
        "yandex-direct",
        "yandexdirect",
    }
)
_SOCIAL = frozenset(
    {
        "dzen",
        "facebook",
        "facebook_ads",
        "fb",
        "ig",
        "instagram",
        "linkedin",
        "meta",
        "my.mail.ru",
        "mytarget",
        "odnoklassniki",
        "ok",
        "pinterest",
        "reddit",
        "tiktok",
        "twitter",
        "vk",
        "vk_ads",
        "vk-ads",
        "vkads",
        "vkontakte",
        "x",
    }
)
_VIDEO = frozenset({"dailymotion", "rutube", "twitch", "vimeo", "youtube"})
_SHOPS = frozenset({"alibaba", "amazon", "ebay", "etsy", "shopify", "walmart"})
_MESSENGERS = frozenset({"telegram", "tg", "viber", "whatsapp"})
_ASSISTANTS = frozenset({"chatgpt", "claude", "copilot", "deepseek", "gemini", "grok", "perplexity", "qwen"})

_DISPLAY_MEDIUMS = frozenset({"display", "banner", "expandable", "interstitial", "cpm"})
_SOCIAL_MEDIUMS = frozenset({"social", "social-network", "social-media", "sm", "social network", "social media"})
_EMAIL_WORDS = frozenset({"email", "e-mail", "e_mail", "e mail"})
_SHOP_CAMPAIGN = re.compile(r"(?:[^a-df-z]|^)shop|shopping")


@dataclass(frozen=True, slots=True)
class _Tags:
    source: str
    medium: str
    campaign: str
    host: HostKind | None  # when utm_source is itself a host

    @property
    def is_paid(self) -> bool:
        return "cp" in self.medium or self.medium in ("ppc", "retargeting") or self.medium.startswith("paid")

    @property
    def is_shop(self) -> bool:
        return self.source in _SHOPS or _SHOP_CAMPAIGN.search(self.campaign) is not None

    @property
    def is_push(self) -> bool:
        to_phone = "mobile" in self.medium or "notification" in self.medium or self.source == "firebase"
        return to_phone or self.medium.endswith("push")

    def is_of(self, names: frozenset[str], host: HostKind | None = None) -> bool:
        return self.source in names or (host is not None and self.host is host)


# Top down, the first row that holds wins: the order of table 6.1, with our messengers, AI and offline.
_ROWS: tuple[tuple[Channel, Callable[[_Tags], bool]], ...] = (
    (Channel.DIRECT, lambda t: t.source == "(direct)" and t.medium in ("", "(none)", "(not set)")),
    (Channel.CROSS_NETWORK, lambda t: "cross-network" in t.campaign),
    (Channel.PAID_SHOPPING, lambda t: t.is_shop and t.is_paid),
    (Channel.PAID_SEARCH, lambda t: t.is_paid and t.is_of(_SEARCH, HostKind.SEARCH)),
    (Channel.PAID_VIDEO, lambda t: t.is_paid and t.is_of(_VIDEO)),
    (Channel.PAID_SOCIAL, lambda t: t.is_paid and t.is_of(_SOCIAL, HostKind.SOCIAL)),
    (Channel.DISPLAY, lambda t: t.medium in _DISPLAY_MEDIUMS),
    (Channel.PAID_OTHER, lambda t: t.is_paid),
    (Channel.MESSENGER, lambda t: t.medium == "messenger" or t.is_of(_MESSENGERS, HostKind.MESSENGER)),
    (Channel.OFFLINE, lambda t: t.medium in ("offline", "qr")),
    (Channel.SHOPPING, lambda t: t.is_shop),
    (Channel.VIDEO, lambda t: t.is_of(_VIDEO) or "video" in t.medium),
    (Channel.SOCIAL, lambda t: t.is_of(_SOCIAL, HostKind.SOCIAL) or t.medium in _SOCIAL_MEDIUMS),
    (Channel.AI, lambda t: t.is_of(_ASSISTANTS, HostKind.AI)),
    (Channel.ORGANIC_SEARCH, lambda t: t.is_of(_SEARCH, HostKind.SEARCH) or t.medium == "organic"),
    (Channel.REFERRAL, lambda t: t.medium in ("referral", "app", "link")),
    (Channel.EMAIL, lambda t: t.is_of(_EMAIL_WORDS, HostKind.EMAIL) or t.medium in _EMAIL_WORDS),
    (Channel.AFFILIATE, lambda t: t.medium == "affiliate"),
    (Channel.AUDIO, lambda t: t.medium == "audio"),
    (Channel.SMS, lambda t: "sms" in (t.source, t.medium)),
    (Channel.PUSH, lambda t: t.is_push),
)


@lru_cache(maxsize=8192)
def channel_of_tags(source: str, medium: str, campaign: str) -> Channel:
    """Returns the channel the utm tags name, in any case; UNASSIGNED when they name none."""
    source, host = source.lower(), None
    if "." in source:
        host, source = what_is(source)
    tags = _Tags(source, medium.lower(), campaign.lower(), host)
    return next((channel for channel, holds in _ROWS if holds(tags)), Channel.UNASSIGNED)
