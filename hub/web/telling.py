"""Codes that connectors and the hub said -> sentences in the language of who reads them."""

from collections.abc import Iterable, Mapping

from connectors.common_words import common_words
from connectors.protocol import Connector
from connectors.telling import Said, Sentence
from hub.store.said import unpack
from hub.web.words.said import hub_words

Connectors = Mapping[str, Connector]


class _Blank(dict[str, str]):
    def __missing__(self, _key: str) -> str:
        return "?"


def sentence(connector: Connector | None, said: Said, language: str) -> Sentence:
    """Return what was said, in the reader's language; a code without words stands for itself."""
    found = next((words for tongue in (language, "en") if (words := _words(connector, said.code, tongue))), None)
    if found is None:
        return Sentence(said.code)
    values = _Blank(said.values, crm=connector.manifest.title if connector else "CRM")
    return Sentence(found.what.format_map(values), found.to_do.format_map(values), found.is_note)


def _words(connector: Connector | None, code: str, language: str) -> Sentence | None:
    tables = (connector.words if connector else {}, common_words, hub_words)
    return next((table[language][code] for table in tables if code in table.get(language, ())), None)


def sentences(connector: Connector | None, kept: str, language: str) -> list[Sentence]:
    """Return what a text column of the database says, each thing in turn; see hub/store/said.py."""
    return [sentence(connector, said, language) for said in unpack(kept)]


def told(connector: Connector | None, kept: str, language: str) -> str:
    """Return the same in one text: all that is so, then what to do about it."""
    return one_text(sentences(connector, kept, language))


def one_text(found: Iterable[Sentence]) -> str:
    """Return sentences as one text: all that is so, then what to do about the last of them that says so."""
    listed = list(found)
    to_do = [one.to_do for one in listed if one.to_do]
    return " ".join((*(one.what for one in listed), *to_do[-1:]))


def plainly(connector: Connector | None, kept: str) -> str:
    """Return the same for machines and the command line, in English."""
    return told(connector, kept, "en")
