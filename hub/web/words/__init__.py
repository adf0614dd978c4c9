"""What the console says, in Russian and in English: two dicts with the same keys.

A text is a ``str.format`` template. A text that counts has forms divided by ``|``: one, few, many in Russian; one, many in
English.
"""

from collections.abc import Mapping

from hub.report import Caveat
from hub.store import reports
from hub.web.words.en import EN
from hub.web.words.ru import RU
from tracking_core.regions import title

LANGUAGES: Mapping[str, Mapping[str, str]] = {"ru": RU, "en": EN}
NAMES: Mapping[str, str] = {"ru": "Русский", "en": "English"}
DEFAULT = "ru"


_SOURCES = {
    "": "source.none",
    reports.NOT_SET: "source.none",
    reports.DIRECT: "source.direct",
    reports.UNKNOWN: "source.unknown",
    reports.OTHER: "source.other",
}


class Words:
    """The texts of one language."""

    def __init__(self, language: str) -> None:
        self.language = language if language in LANGUAGES else DEFAULT
        self._texts = LANGUAGES[self.language]

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the text of a key with its values filled in; an unknown key raises KeyError."""
        return self._texts[key].format(**values)

    def of(self, family: str, value: str | None, otherwise: str | None = None) -> str:
        """Return the words for a value of an open family; a value without words stands for itself."""
        return self._texts.get(f"{family}.{value}", otherwise or value or "")

    def source(self, name: str) -> str:
        """Return how a source is shown: its own name, or words for what has none."""
        key = _SOURCES.get(name)
        return self(key) if key else name

    def region(self, code: str) -> str:
        """Return what people call a region."""
        return title(code, self.language)

    def caveat(self, of: Caveat | None) -> str:
        """Return what a reader of a model's figures must know; nothing where there is nothing to say."""
        return self.count(f"report.caveat.{of.name}", of.number) if of else ""

    def count(self, key: str, n: int, **values: object) -> str:
        """Return a counting text in the form that ``n`` asks for."""
        forms = self._texts[key].split("|")
        return forms[_form(self.language, n)].format(n=n, **values)


def _form(language: str, n: int) -> int:
    if language == "en":
        return 0 if n == 1 else 1
    if n % 10 == 1 and n % 100 != 11:
        return 0
    return 1 if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else 2


def preferred(accept_language: str) -> str:
    """Return the first language of an Accept-Language header that the console speaks."""
    for part in accept_language.split(","):
        language = part.partition(";")[0].strip()[:2].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT
