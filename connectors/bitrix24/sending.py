"""Has creations of a batch of deliveries done and reads what became of each (sheet sections 2.5, 3.6 and 9).

A chain makes a company, a contact and a deal of one delivery, each with a reference to the one before, and behind all
its cards what is written on them; after the first refusal of a request nothing more of it is done. What follows a deal
that is there goes on whatever else was refused. A lost answer
makes its deliveries UNKNOWN; the second one stops the batch.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from connectors.bitrix24.api import Api, Fault, Json, Replies, replies
from connectors.bitrix24.cards import whole
from connectors.bitrix24.encoding import command
from connectors.bitrix24.mappings import FIELD_SAID, OPERATING, REFUSED, UNSURE
from connectors.bitrix24.pace import Pace
from connectors.bitrix24.parts import ORIGINAL_NAMES
from connectors.bitrix24.trouble import is_denied, is_gone, judged, no_rights, of_account, trouble, words
from connectors.bitrix24.work import Kind, Work
from connectors.errors import OF_INSTALLATION, NotSent, PerhapsSent, Refused, Unreadable, Verdict
from connectors.protocol import InstallationError, Status, Why
from connectors.telling import Said

MOST_LOST = 2
_LOST = Said("answer_lost")
_UNNAMED = Said("unnamed")
_DEAL_GONE = Said("open_deal_gone")
_CONTACT_GONE = Said("contact_gone")
_MAY_GO = re.compile(r"^(?:UF_CRM_|utm|source)", re.IGNORECASE)  # fields a card may do without
_NAMED = re.compile(r"[\"'«“`]([^\"'«»“”`]+)[\"'»”`]")

Take = Callable[["Part", object], bool]  # (part, what its command brought) -> whether that says that it is done
Spare = Callable[["Part", Fault], bool]  # (part, why it was refused) -> whether the delivery is as good without


@dataclass(slots=True)
class Part:
    """One command of a request: the step it finishes, and how its result is read."""

    work: Work
    step: str
    kind: Kind
    method: str
    params: Json
    take: Take
    spare: Spare | None = None

    @property
    def key(self) -> str:
        """What the vendor's answer calls this part."""
        return f"{self.step}{'x' if self.step[-1].isdigit() else ''}{self.work.place}"

    @property
    def is_card(self) -> bool:
        """Says whether it makes a card."""
        return self.method == "crm.item.add"

    @property
    def command(self) -> str:
        """The command of a batch."""
        return command(self.method, self.params)


def adding(work: Work, kind: Kind, entity: int, fields: Json, take: Take) -> Part:
    """Return the part that makes a card [4.2]."""
    params = {"entityTypeId": entity, "fields": fields, **ORIGINAL_NAMES}
    return Part(work, kind, kind, "crm.item.add", params, take)


def took_change(part: Part, found: object) -> bool:
    """Note that a change of its card is done, where the answer speaks of that card."""
    card = found.get("item") if isinstance(found, dict) else None
    if not isinstance(card, dict) or whole(card.get("id")) != part.work.deal:
        return False
    part.work.done.add(part.step)
    return True


class Sender:
    """Sends the parts of one batch of deliveries; remembers how many answers were lost."""

    def __init__(self, api: Api, pace: Pace) -> None:
        self._api, self._pace = api, pace
        self._lost = 0

    async def chain(self, parts: Sequence[Part]) -> bool:
        """Have parts done one after the other; says whether what is left of them may be sent again.

        What was not reached is as it was. So is a note that was surely refused: it is written once more by ``follow``,
        which then says why, and goes on with the others. Raises ``InstallationError``.
        """
        told = await self._ask(parts, halt=True)
        if told is None:
            return False
        self._pace.took(sum(part.is_card and part.key in told.results for part in parts), told.took)
        for part in parts:
            if part.key in told.results:
                self._take(part, told.results[part.key])
            elif part.key in told.faults:
                if part.is_card or told.faults[part.key].code in UNSURE:
                    self._refused(part, told.faults[part.key], told)
                return True
            else:
                if not told.faults:
                    _unnamed(part)
                return True
        return False

    async def follow(self, parts: Sequence[Part]) -> None:
        """Have parts done whatever becomes of the others; raises ``InstallationError``."""
        told = await self._ask(parts, halt=False)
        if told is None:
            return
        stopped: InstallationError | None = None
        for part in parts:
            if part.key in told.results:
                self._take(part, told.results[part.key])
            elif part.key not in told.faults:
                _unnamed(part)
            else:
                try:
                    self._refused(part, told.faults[part.key], told)
                except InstallationError as error:
                    stopped = error
        if stopped:
            raise stopped

    async def _ask(self, parts: Sequence[Part], *, halt: bool) -> Replies | None:
        """Return what a request brought; None when the fate of its parts is settled without."""
        of = tuple(dict.fromkeys(part.work.delivery.id for part in parts))
        try:
            return replies(await self._api.change({part.key: part.command for part in parts}, of, halt=halt))
        except NotSent as error:
            raise trouble(error) from None
        except PerhapsSent as error:
            self._lose(parts, Verdict(Status.UNKNOWN, Why.UNAVAILABLE, _LOST), error.detail)
        except Unreadable as error:
            self._lose(parts, Verdict(Status.UNKNOWN, Why.UNREADABLE, _UNNAMED), error.detail)
        except Refused as error:
            self._judge(parts, error)
        return None

    def _judge(self, parts: Sequence[Part], error: Refused) -> None:
        read = judged(error)
        if (read.status is Status.RETRY and read.why in OF_INSTALLATION) or (
            error.status == 404 and not error.readable
        ):
            raise trouble(error)
        if read.status is Status.UNKNOWN:
            self._lose(parts, read, error.detail)
            return
        for work in _works(parts):
            work.trouble(read.status, read.why, read.said, detail=error.detail)

    def _lose(self, parts: Sequence[Part], read: Verdict, detail: str) -> None:
        for work in _works(parts):
            work.trouble(read.status, read.why, read.said, detail=detail)
        self._pace.lost()
        self._lost += 1
        if self._lost >= MOST_LOST:
            raise InstallationError(Why.UNAVAILABLE, Said("losing"))

    def _take(self, part: Part, found: object) -> None:
        part.work.created = True
        if not part.is_card and not part.work.deal:
            return  # what it stands on was not named as ours, which is said of the card
        if not part.take(part, found):
            _unnamed(part)

    def _refused(self, part: Part, fault: Fault, told: Replies) -> None:
        """Note why a part was not done; what can do without a field is to be sent again without it."""
        is_card = part.is_card
        if fault.code == OPERATING and not is_card:  # other methods go on [2.2]
            part.work.trouble(Status.RETRY, Why.TOO_EARLY, Said("too_much_time"), not_before=_reset(told))
            return
        if error := of_account(fault, told):
            raise error
        if is_card and is_denied(fault):
            raise no_rights()
        if part.spare and fault.code not in UNSURE and part.spare(part, fault):
            return
        if fault.code in UNSURE:
            part.work.trouble(Status.UNKNOWN, Why.UNAVAILABLE, Said("busy"), detail=words(fault))
        elif is_card and _mended(part, fault):
            return
        elif not is_card and is_gone(fault) and not part.work.has_made_deal:
            part.work.lose_deal()
            part.work.trouble(Status.RETRY, Why.TOO_EARLY, _DEAL_GONE, detail=words(fault))
        elif part.kind == "move" and not is_denied(fault):
            part.work.remarks.append(Said("move_stage_gone"))
            part.work.done.add(part.step)
        else:
            part.work.trouble(Status.REJECTED, Why.INVALID, *_reasons(part, fault), detail=words(fault))


def _reset(told: Replies) -> datetime | None:
    return datetime.fromtimestamp(told.resets_at, UTC) if told.resets_at else None


def _works(parts: Sequence[Part]) -> list[Work]:
    return list({part.work.place: part.work for part in parts}.values())


def _unnamed(part: Part) -> None:
    part.work.trouble(Status.UNKNOWN, Why.UNREADABLE, _UNNAMED)


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def culprits(part: Part, fault: Fault) -> list[str]:
    """Return the fields of a card that a refusal names."""
    fields = part.params.get("fields", {})
    named = {_plain(name) for name in _NAMED.findall(fault.text)}
    return [name for name in fields if _plain(name) in named]


def _mended(part: Part, fault: Fault) -> bool:
    """Leave out the fields the account refused; a contact that is refused is gone, and the next attempt searches."""
    wrong = culprits(part, fault)
    if "contactId" in wrong and isinstance(part.params["fields"]["contactId"], int):
        part.work.trouble(Status.RETRY, Why.TOO_EARLY, _CONTACT_GONE, detail=words(fault))
        return True
    if not wrong or not all(_MAY_GO.match(name) for name in wrong) or part.work.left_out.issuperset(wrong):
        return False
    part.work.left_out |= set(wrong)
    return True


def _reasons(part: Part, fault: Fault) -> tuple[Said, ...]:
    """Return what was not done, and why as far as the vendor names a field or says it in words."""
    fields = part.params.get("fields", {})
    known = [(FIELD_SAID[_plain(name)], fields[name]) for name in culprits(part, fault) if _plain(name) in FIELD_SAID]
    reasons = tuple(replace(said, values={"id": str(value)}) for said, value in known)
    if not reasons and "required" in f"{fault.code} {fault.text}".lower():
        reasons = (Said("required_empty", {"words": words(fault)}),)
    told = words(fault)
    return (REFUSED[part.kind], *(reasons or (Said("its_words", {"words": told}) if told else Said("no_reason"),)))
