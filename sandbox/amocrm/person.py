"""A person at the screen: what he does goes through the API's own handlers, so that history and webhooks follow."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from sandbox.amocrm.changes import card_restored, card_trashed
from sandbox.amocrm.errors import Refusal
from sandbox.amocrm.merging import cards_merged
from sandbox.amocrm.people import allow
from sandbox.amocrm.routes import answer_turn
from sandbox.amocrm.store import Card
from sandbox.amocrm.tokens import UI_CLIENT
from sandbox.amocrm.turn import Turn, make_turn
from sandbox.wire import Answer, Ask

if TYPE_CHECKING:
    from sandbox.amocrm.account import Account
    from sandbox.amocrm.model import User


class Denied(Exception):
    """What a person wanted is refused; carries the API's own body as text."""


@dataclass(frozen=True, slots=True)
class Person:
    """One user of the account in a browser at `base`; no request limits concern him."""

    account: "Account"
    user: "User"
    base: str

    def send(self, method: str, path: str, body: object = None) -> Any:
        """Calls one API method as this user and returns its JSON; raises Denied when it is refused."""
        answer = self._let(lambda: answer_turn(self._turn(method, path, body)))
        return orjson.loads(answer.body) if answer.body else None

    def trash(self, card: Card) -> None:
        """Puts a card into the trash bin."""
        self._let(lambda: self._allowed(card, "delete", lambda: card_trashed(self.account, card, self.user.id)))

    def restore(self, card: Card) -> None:
        """Takes a card out of the trash bin."""
        self._let(lambda: self._allowed(card, "delete", lambda: card_restored(self.account, card, self.user.id)))

    def merge(self, loser: Card, winner: Card) -> None:
        """Merges two cards of a kind into the second."""

        def deed() -> None:
            try:
                cards_merged(self.account, loser, winner, self.user.id)
            except ValueError as error:
                raise Denied(str(error)) from error

        self._let(lambda: self._allowed(loser, "delete", deed))

    def _allowed(self, card: Card, action: str, deed: Callable[[], None]) -> Answer:
        allow(self._turn("POST", "/", None), card.kind, action, card)
        deed()
        return Answer(204)

    def _let(self, deed: Callable[[], Answer]) -> Answer:
        try:
            return deed()
        except Refusal as refusal:
            raise Denied(refusal.answer.body.decode("utf-8", "replace")) from refusal
        finally:
            self.account.sender.flush(False, self.base)

    def _turn(self, method: str, path: str, body: object) -> Turn:
        where = urlsplit(self.base)
        sent = b"" if body is None else orjson.dumps(body)
        ask = Ask(0, method, where.scheme, where.netloc, path, "", {}, sent, self.account.clock())
        return make_turn(self.account, ask, self.user, UI_CLIENT, {})
