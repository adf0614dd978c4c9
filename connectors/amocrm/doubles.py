"""Joins two contacts of one person that another client and we made at the same moment [7].

The API makes nothing on a condition, merges no contacts and deletes none, so between our look and our writing anybody
may make a contact of the same person. The next look shows both. Then our deal moves to the other's contact, and ours,
made a moment ago, gives its phone away: one contact has it again, and an empty one is left.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from connectors.amocrm.api import Api
from connectors.amocrm.people import keys_of
from connectors.amocrm.trouble import trouble
from connectors.amocrm.work import Work
from connectors.errors import ConnectorError, verdict
from connectors.http import Answer
from connectors.protocol import ContactChange, ContactPage, Status

PER_REQUEST = 50  # links or contacts [2]


@dataclass(frozen=True, slots=True)
class _Made:
    deal: str
    contact: str


@dataclass(frozen=True, slots=True)
class _Double:
    key: str
    deal: str
    ours: str
    theirs: str


@dataclass(slots=True)
class Doubles:
    """What this session made of callers nobody knew, by the one key that such a contact has.

    One look may take several pages, and the two of a person may stand on different ones. What an earlier look showed is
    not believed: somebody may have merged ours away since.
    """

    _made: dict[str, _Made] = field(default_factory=dict)
    _there: dict[str, tuple[str, ...]] = field(default_factory=dict)  # id -> keys, of who has a key of these

    def note(self, works: Iterable[Work]) -> None:
        """Remember the new contacts of a batch; one with an e-mail is left to a person."""
        for work in works:
            keys = keys_of(work.delivery.what.enquiry) or ()
            if work.deal and work.new_contact and len(keys) == 1 and not work.delivery.what.enquiry.email:
                self._made[keys[0]] = _Made(work.deal, work.new_contact)

    async def join(self, api: Api, page: ContactPage) -> ContactPage:
        """Return the page as it is once each of our contacts that stands there twice has given its phone away.

        Raises ``InstallationError``.
        """
        self._see(page)
        found = self._found()
        if not page.more:
            self._there.clear()
        try:
            # One that is gone by now makes amoCRM refuse them all [5.5].
            joined = found if await _join(api, found) else [one for one in found if await _join(api, [one])]
        except ConnectorError as error:
            raise trouble(error) from None
        for one in found:  # whom amoCRM refuses is tried again by the next look that shows both
            self._there.pop(one.ours, None)
        for one in joined:
            del self._made[one.key]
        emptied = {one.ours for one in joined}
        return replace(page, contacts=tuple(_without_keys(one, emptied) for one in page.contacts))

    def _see(self, page: ContactPage) -> None:
        for change in page.contacts:
            if change.deleted:
                self._there.pop(change.id, None)
            elif change.is_sure:
                self._there.pop(change.id, None)
                if not self._made.keys().isdisjoint(change.keys):
                    self._there[change.id] = change.keys

    def _found(self) -> list[_Double]:
        holders: dict[str, list[str]] = {}
        for id_, keys in self._there.items():
            for key in keys:
                holders.setdefault(key, []).append(id_)
        return [
            _Double(key, made.deal, made.contact, min(others, key=int))
            for key, made in self._made.items()
            # What a person added to our contact stays.
            if len(self._there.get(made.contact, ())) == 1
            and made.contact in holders.get(key, ())
            and (others := [id_ for id_ in holders[key] if id_ != made.contact])
        ]


def _without_keys(change: ContactChange, emptied: set[str]) -> ContactChange:
    return replace(change, keys=()) if change.id in emptied else change


async def _join(api: Api, doubles: Sequence[_Double]) -> bool:
    """Move our deals to the others' contacts and empty ours; False when amoCRM refuses."""
    for start in range(0, len(doubles), PER_REQUEST):
        some = doubles[start : start + PER_REQUEST]
        if not (
            _is_done(await api.make_main_contacts({one.deal: one.theirs for one in some}))
            and _is_done(await api.unlink_contacts({one.deal: one.ours for one in some}))
            and _is_done(await api.clear_contacts([one.ours for one in some], "PHONE"))
        ):
            return False
    return True


def _is_done(answer: Answer) -> bool:
    if answer.ok:
        return True
    if verdict(answer.status).status is Status.RETRY:
        raise trouble(answer.refused())
    return False
