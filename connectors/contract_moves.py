"""The contract suite of a connector that can move open deals: the common one, and what a move has to keep.

Needs pytest; nothing but a connector's test imports this file.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from connectors.contract import ConnectorContract
from connectors.contract_inputs import DELIVERY_ID, delivery, rules
from connectors.contract_script import Asked, Scripted, Step
from connectors.errors import NotSent, PerhapsSent
from connectors.protocol import Can, Delivery, Status
from connectors.scenario import AddNote, CallerState, MoveDeal


class MoveContract(ConnectorContract):
    """Subclass it instead of the common suite where ``Can.MOVE`` is in the manifest."""

    move: ClassVar[MoveDeal]
    moved: ClassVar[Sequence[Step]]  # the caller's open deal stands where it is moved from; it is moved and noted
    arrived: ClassVar[Sequence[Step]]  # the same, and d-1 is in doubt: it was moved then, and somebody moved it back
    further: ClassVar[Sequence[Step]]  # the open deal stands further on

    def moving(self, **changed: object) -> Delivery:
        """Return a delivery that notes and moves an open deal."""
        cases = {CallerState.OPEN_DEAL: (AddNote("Ещё звонок"), self.move)}
        return replace(delivery(), what=replace(delivery().what, rules=rules(cases)), **changed)  # type: ignore[arg-type]

    def moves(self, http: Scripted) -> list[Asked]:
        """Return the requests that name the stage and change something."""
        return [asked for asked in http.asked if self.creates(asked) and self.move.stage.encode() in asked.content]

    def told(self, script: Sequence[Step], of: Delivery) -> tuple[Status, list[Asked]]:
        """Deliver by a script; return the outcome's status and the moves that were asked for."""
        http = Scripted(self.connector, script)
        outcomes, error = self.deliver(http, of)
        assert error is None
        return outcomes[DELIVERY_ID].status, self.moves(http)

    def test_moving_is_told_as_a_capability(self) -> None:
        assert Can.MOVE in self.connector.manifest.can

    def test_an_open_deal_is_moved_in_one_request(self) -> None:
        status, moves = self.told(self.moved, self.moving())
        assert (status, len(moves)) == (Status.DELIVERED, 1)

    def test_a_deal_that_is_further_on_stays(self) -> None:
        assert self.told(self.further, self.moving()) == (Status.DELIVERED, [])

    def test_a_move_in_doubt_is_not_made_again(self) -> None:
        assert self.told(self.arrived, self.moving(attempt=2, in_doubt=True)) == (Status.DELIVERED, [])

    def test_a_lost_answer_to_a_move_is_perhaps_and_an_unsent_one_is_not(self) -> None:
        _, [asked] = self.told(self.moved, self.moving())
        for fault, status in ((PerhapsSent("ReadTimeout: slow"), Status.UNKNOWN), (NotSent("refused"), None)):
            outcomes, _ = self.deliver(Scripted(self.connector, self.moved, asked, fault), self.moving())
            outcome = outcomes.get(DELIVERY_ID)
            assert (outcome and outcome.status) == status, fault

    def test_a_move_names_whom_it_is_for(self) -> None:
        http = Scripted(self.connector, self.moved)
        self.deliver(http, self.moving())
        [asked] = self.moves(http)
        assert http.named[http.asked.index(asked)] == (DELIVERY_ID,)
