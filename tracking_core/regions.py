"""Regions of visits and callers by one code: ISO 3166-2 within Russia, the country's two letters elsewhere.

What the numbering plan does not tell apart is one region (``regions_table``). A phone of another country tells the
country alone, so a visit from there is of the country too. Facts: telephony sheet, section 12 ("Region: ...").
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException

from tracking_core.numbering_plan import NO_PLAN, NumberingPlan
from tracking_core.regions_table import KINDS, REGIONS

_MARKS = re.compile("['’\u0301]")  # an apostrophe for a soft sign, an accent on a vowel
_WORD = re.compile(r"[^\W\d_]+")
_SEVERAL = re.compile(r"[,;]|\sи\s|\sand\s", re.IGNORECASE)
_KINDS = frozenset(KINDS.split())  # "Altai" and "Altai Krai" are two, so a name is tried with them first


@dataclass(frozen=True, slots=True)
class Region:
    """One region: its code, the codes it stands for, and its names."""

    code: str
    stands_for: tuple[str, ...]
    areas: tuple[str, ...]
    name_ru: str
    name_en: str
    spellings: tuple[str, ...]


def _rows() -> Iterator[Region]:
    for line in REGIONS.strip().splitlines():
        codes, areas, name_ru, name_en, others = (cell.strip() for cell in line.split("|"))
        spellings = (name_ru, name_en, *(one.strip() for one in others.split(";") if one.strip()))
        yield Region(codes.split()[0], tuple(codes.split()), tuple(areas.split()), name_ru, name_en, spellings)


def _words(name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_WORD.findall(_MARKS.sub("", name.lower().replace("ё", "е")))))


def _short(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in _KINDS)


ALL = {region.code: region for region in _rows()}
_CODES = {code: region.code for region in ALL.values() for code in region.stands_for}
_AREAS = {area: region.code for region in ALL.values() for area in region.areas}
_NAMES = {_words(name): region.code for region in ALL.values() for name in region.spellings}
for _name, _code in list(_NAMES.items()):
    _NAMES.setdefault(_short(_name), _code)


def of_code(code: str) -> str | None:
    """Returns the region an ISO 3166-2 code or a country's two letters name; None when there is no such."""
    told = code.strip().upper()
    return _CODES.get(told) or (told if told in phonenumbers.SUPPORTED_REGIONS and told != "RU" else None)


@lru_cache(maxsize=4_096)
def of_name(name: str) -> str | None:
    """Returns the region a name means in any usual spelling, Russian or English; None when it means none or several.

    A numbering plan writes ``г. Москва и Московская область`` and ``г. Барнаул|Алтайский край``.
    """
    name = name.rsplit("|", 1)[-1]
    whole = _of_words(name)
    if whole is not None:
        return whole
    parts = {_of_words(part) for part in _SEVERAL.split(name)}
    return parts.pop() if len(parts) == 1 else None


def _of_words(name: str) -> str | None:
    words = _words(name)
    return _NAMES.get(words) or _NAMES.get(_short(words))


def of_place(country: str, subdivision: str = "", name: str = "") -> str | None:
    """Returns the region of a place as geographic databases tell it: by its code, else by its name.

    Within Russia a place without either has no region; of another country the country is the region.
    """
    known = _CODES.get(f"{country}-{subdivision}") or (of_name(name) if country in ("RU", "UA") and name else None)
    if known is not None and known[:2] in ("RU", "UA"):
        return known
    return of_code(country) if country else None


def of_phone(e164: str | None, numbering: NumberingPlan = NO_PLAN) -> str | None:
    """Returns the region a caller's phone tells; None for most mobiles unless a numbering plan is at hand."""
    if e164 is None or not e164.startswith("+"):
        return None
    if not e164.startswith("+7"):
        return _of_country(e164)
    area = e164[2:5]
    if area[:1] in ("6", "7"):
        return "KZ"
    return _AREAS.get(area) or numbering.region(e164)


def _of_country(e164: str) -> str | None:
    try:
        code = phonenumbers.region_code_for_number(phonenumbers.parse(e164, None))
    except NumberParseException:
        return None
    return of_code(code or "")


def title(code: str, language: str = "en") -> str:
    """Returns what people call a region; the code itself where we have no name."""
    region = ALL.get(code)
    if region is None:
        return code
    return region.name_ru if language == "ru" else region.name_en
