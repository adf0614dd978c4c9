"""Which visitors are one person: those tied to the same phone, e-mail, CRM contact or user id.

A key that many visitors have is not one person's (an office phone, an agency's e-mail), and a browser that many keys
came from is not one person's either (a manager who fills the form for his callers): neither joins anybody.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

MOST_VISITORS = 10  # of one key; with more it is shared
MOST_KEYS = 5  # of one kind that a visitor is known by; with more his browser is shared
MOST_TOGETHER = 50  # visitors of one person; more than that are nobody's


class TieKind(StrEnum):
    """By what a visitor is known."""

    PHONE = "phone"
    EMAIL = "email"
    CONTACT = "contact"  # in a CRM
    USER = "user"  # of the site itself


@dataclass(frozen=True, slots=True)
class Key:
    """One phone, e-mail, contact or user id, by its fingerprint."""

    kind: TieKind
    fingerprint: str


KeysOf = Callable[[int], Collection[Key]]
KnownBy = Callable[[Key], Collection[int]]


def is_shared_key(visitors: Collection[int]) -> bool:
    """Says whether a key that these visitors are known by is not one person's."""
    return len(visitors) > MOST_VISITORS


def is_shared_browser(keys: Collection[Key]) -> bool:
    """Says whether a visitor known by these keys is not one person."""
    return any(number > MOST_KEYS for number in Counter(key.kind for key in keys).values())


def one_person(visitor: int, keys_of: KeysOf, known_by: KnownBy) -> frozenset[int]:
    """Returns the visitors who are the same person as this one, himself among them.

    ``keys_of`` and ``known_by`` tell the ties that hold now, from either side, and may leave out what is above the
    limits as long as it is seen to be above them.
    """
    alone = frozenset({visitor})
    if is_shared_browser(keys_of(visitor)):
        return alone
    found, asked, left = {visitor}, set[Key](), [visitor]
    while left:
        new_keys = set(keys_of(left.pop())) - asked
        asked |= new_keys
        joined = {other for key in new_keys for other in _joined(known_by(key))} - found
        left += [other for other in joined if not is_shared_browser(keys_of(other))]
        found.update(left)
        if len(found) > MOST_TOGETHER:
            return alone
    return frozenset(found)


def _joined(visitors: Collection[int]) -> Collection[int]:
    return () if is_shared_key(visitors) else visitors


def people(visitors: Iterable[int], keys_of: KeysOf, known_by: KnownBy) -> Mapping[int, int | None]:
    """Returns the person of each of the visitors, and of whoever is one with them: the smallest of his visitors.

    It is None for a visitor who is nobody else.
    """
    told: dict[int, int | None] = {}
    for visitor in visitors:
        if visitor not in told:
            together = one_person(visitor, keys_of, known_by)
            told |= dict.fromkeys(together, min(together) if len(together) > 1 else None)
    return told
