"""Moderation of the manifest: what must be there, and which words it may use [8.2]."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.amocrm.drawing import SIZES
from connectors.packaging import Flaw

FILE = "manifest.json"
LOCALES = ("ru", "en", "es", "pt")
SETTING_TYPES = ("text", "pass", "users", "users_lp", "custom")
CARDS = ("lcard", "ccard", "comcard", "cucard")
LISTS = ("llist", "clist", "culist", "tlist")
PLACES = frozenset(
    (
        *(f"{one}{column}" for one in (*CARDS, *LISTS) for column in ("", "-0", "-1")),
        *(
            "card_sdk",
            "settings",
            "advanced_settings",
            "digital_pipeline",
            "lead_sources",
            "catalogs",
            "whatsapp_modal",
        ),
        *("everywhere", "sms", "mobile_card", "salesbot_designer", "amoforms", "widget_page"),
    )
)
BLOCKS = {  # a location that needs a block of the manifest of its own
    "advanced_settings": "advanced",
    "digital_pipeline": "dp",
    "salesbot_designer": "salesbot_designer",
    "sms": "sms",
    "mobile_card": "mobile",
    "widget_page": "left_menu",
}
MANDATORY = ("name", "description", "short_description", "locale", "installation")
_EXTENSIONS = ("png", "jpg", "jpeg", "gif")


@dataclass(frozen=True, slots=True)
class Declared:
    """A manifest, with what other rules want to know of it."""

    text: str
    manifest: Mapping[str, Any]

    def block(self, *path: str) -> Mapping[str, Any]:
        """Return a part of the manifest, empty where it is not there or is no object."""
        found: Any = self.manifest
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    @property
    def locales(self) -> tuple[str, ...]:
        return _words(self.block("widget").get("locale"))

    @property
    def locations(self) -> tuple[str, ...]:
        return _words(self.manifest.get("locations"))

    @property
    def tour(self) -> frozenset[str]:
        images = self.block("tour", "tour_images").values()
        return frozenset(name.lstrip("/") for one in images for name in _words(one))

    @property
    def images(self) -> frozenset[str]:
        """Return the names of every picture the package may hold."""
        needed = [name for name in SIZES if name != "logo_dp.png" or "digital_pipeline" in self.locations]
        stems = [name.removesuffix(".png") for name in needed]
        return self.tour | {f"images/{stem}.{extension}" for stem in stems for extension in _EXTENSIONS}

    def line(self, key: str, value: str = "") -> int | None:
        """Return the line of a key, or of a value below it."""
        wanted = rf'"{re.escape(key)}"\s*:' if key else re.escape(json.dumps(value, ensure_ascii=False))
        found = re.search(wanted, self.text)
        return self.text[: found.start()].count("\n") + 1 if found else None

    def flaw(self, key: str, what: str, allowed: str) -> Flaw:
        """Return a flaw at the line of a dotted key."""
        return Flaw(FILE, f"{key} {what}", allowed, self.line(key.rsplit(".", 1)[-1]))


def _words(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def read_manifest(text: str) -> Declared | Flaw:
    """Return the manifest, or why it cannot be read."""
    try:
        manifest = json.loads(text)
    except json.JSONDecodeError as error:
        what = f"this is not JSON: {error.msg}" if text else "is missing or empty"
        return Flaw(FILE, what, "a JSON object at the root of the archive", error.lineno if text else None)
    if not isinstance(manifest, dict):
        return Flaw(FILE, "this is no JSON object", "a JSON object", 1)
    return Declared(text, manifest)


def manifest_flaws(declared: Declared, texts: Mapping[str, str]) -> Iterator[Flaw]:
    """Yield what the manifest lacks or says wrongly."""
    yield from _mandatory(declared)
    yield from _widget(declared)
    yield from _support(declared)
    yield from _locations(declared)
    yield from _settings(declared)
    yield from _pipeline(declared)


def _mandatory(declared: Declared) -> Iterator[Flaw]:
    widget = declared.block("widget")
    for key in MANDATORY:
        if key not in widget:
            yield declared.flaw(f"widget.{key}", "is missing", "it is mandatory")
    for key in ("locations", "settings"):
        if key not in declared.manifest:
            yield declared.flaw(key, "is missing", "it is mandatory")


def _widget(declared: Declared) -> Iterator[Flaw]:
    widget = declared.block("widget")
    if "locale" in widget and (not declared.locales or set(declared.locales) - set(LOCALES)):
        yield declared.flaw("widget.locale", f"is {json.dumps(widget['locale'])}", f"a list of {', '.join(LOCALES)}")
    if not re.fullmatch(r"\d+\.\d+\.\d+", str(widget.get("version", ""))):
        yield declared.flaw("widget.version", f"is {json.dumps(widget.get('version'))}", "three figures, as in 1.0.0")
    if widget.get("interface_version") != 2:
        yield declared.flaw("widget.interface_version", f"is {json.dumps(widget.get('interface_version'))}", "2")
    for key in ("installation", "init_once", "is_showcase"):
        if key in widget and not isinstance(widget[key], bool):
            yield declared.flaw(f"widget.{key}", f"is {json.dumps(widget[key])}", "true or false")
    if widget.get("is_showcase") is True and widget.get("installation") is not False:
        yield declared.flaw("widget.is_showcase", "is true beside an installation", "installation false beside it")


def _support(declared: Declared) -> Iterator[Flaw]:
    support = declared.block("widget", "support")
    link, email = str(support.get("link", "")), str(support.get("email", ""))
    if not link and not email:
        yield declared.flaw("widget.support", "names nobody", "a link or an email where people get help")
    if link and not link.startswith(("https://", "mailto:")):
        yield declared.flaw("support.link", f"is {link}", "a link that begins with https://")
    if re.search(r"amocrm\.|kommo\.", link + email, re.IGNORECASE):
        yield declared.flaw("widget.support", "sends people to amoCRM's support", "support contacts of your own")


def _locations(declared: Declared) -> Iterator[Flaw]:
    for place in declared.locations:
        if place not in PLACES:
            allowed = "everywhere with init_once true" if place == "telephony" else "a location of the documentation"
            yield Flaw(FILE, f"there is no location {place}", allowed, declared.line("", place))
        block = BLOCKS.get(place)
        if block and block not in declared.manifest:
            yield Flaw(FILE, f"the location {place} has no block {block}", f"{block}: {{…}}", declared.line("", place))
    for place, block in BLOCKS.items():
        if block in declared.manifest and place not in declared.locations:
            yield declared.flaw(block, f"stands without the location {place}", f"{place} among the locations")
    if "card_sdk" in declared.locations and not any(one.startswith(CARDS) for one in declared.locations):
        yield Flaw(FILE, "card_sdk stands without a card", "a card's location beside it", declared.line("", "card_sdk"))


def _settings(declared: Declared) -> Iterator[Flaw]:
    custom = 0
    for block in (("settings",), ("dp", "settings")):
        for key, field in declared.block(*block).items():
            kind = field.get("type") if isinstance(field, Mapping) else None
            custom += kind == "custom"
            if kind not in SETTING_TYPES:
                said = f"has the type {json.dumps(kind)}"
                yield declared.flaw(f"{'.'.join(block)}.{key}", said, ", ".join(SETTING_TYPES))
            if isinstance(field, Mapping) and not isinstance(field.get("required"), bool):
                yield declared.flaw(f"{'.'.join(block)}.{key}", "does not say required", "required: true or false")
    if custom > 1:
        yield declared.flaw("settings", f"has {custom} fields of the type custom", "at most one")


def _pipeline(declared: Declared) -> Iterator[Flaw]:
    if "dp" not in declared.manifest:
        return
    address = str(declared.block("dp").get("webhook_url", ""))
    if not address.startswith("https://"):
        yield declared.flaw("dp.webhook_url", f"is {json.dumps(address)}", "an address that begins with https://")
    if not declared.block("dp", "settings"):
        yield declared.flaw("dp.settings", "is missing", "the fields a person fills in on a stage")
