"""The contract suite of a connector that can write fields of open deals: the common one, and what a field has to keep.

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
from connectors.scenario import AddNote, CallerState, Mode, Write, WriteFields

TEXT = "a new word"


class FieldsContract(ConnectorContract):
    """Subclass it, too, where ``Can.FIELDS`` is in the manifest."""

    field: ClassVar[str]  # its code
    says: ClassVar[str]  # what it says on the caller's open deal
    written: ClassVar[Sequence[Step]]  # the caller has that deal; it is changed and noted

    def writing(self, mode: Mode, text: str = TEXT) -> Delivery:
        """Return a delivery that notes and writes a field of an open deal."""
        cases = {CallerState.OPEN_DEAL: (AddNote("Ещё звонок"), WriteFields({self.field: Write(text, mode)}))}
        return replace(delivery(), what=replace(delivery().what, rules=rules(cases)))

    def writes(self, of: Delivery) -> tuple[Status, list[Asked]]:
        """Deliver; return the outcome's status and the requests that name the text and change something."""
        http = Scripted(self.connector, self.written)
        outcomes, error = self.deliver(http, of)
        assert error is None
        return outcomes[DELIVERY_ID].status, self._naming(http)

    def _naming(self, http: Scripted) -> list[Asked]:
        words = (TEXT, TEXT.replace(" ", "%20"), TEXT.replace(" ", "+"))
        return [one for one in http.asked if self.creates(one) and any(word.encode() in one.content for word in words)]

    def test_writing_fields_is_told_as_a_capability(self) -> None:
        assert Can.FIELDS in self.connector.manifest.can

    def test_a_field_that_says_something_is_written_where_that_is_asked(self) -> None:
        for mode in (Mode.ALWAYS, Mode.APPEND):
            status, asked = self.writes(self.writing(mode))
            assert (status, len(asked)) == (Status.DELIVERED, 1), mode

    def test_and_is_left_in_peace_where_it_is_not(self) -> None:
        for mode in (Mode.IF_EMPTY, Mode.FIRST):
            assert self.writes(self.writing(mode)) == (Status.DELIVERED, []), mode

    def test_what_it_says_already_is_not_written_again(self) -> None:
        http = Scripted(self.connector, self.written)
        self.deliver(http, self.writing(Mode.ALWAYS, self.says))
        assert not [one for one in http.asked if self.creates(one) and self.field.encode() in one.content]

    def test_a_lost_answer_to_a_change_is_perhaps_and_an_unsent_one_is_not(self) -> None:
        _, [asked] = self.writes(self.writing(Mode.ALWAYS))
        for fault, status in ((PerhapsSent("ReadTimeout: slow"), Status.UNKNOWN), (NotSent("refused"), None)):
            outcomes, _ = self.deliver(Scripted(self.connector, self.written, asked, fault), self.writing(Mode.ALWAYS))
            outcome = outcomes.get(DELIVERY_ID)
            assert (outcome and outcome.status) == status, fault

    def test_a_change_names_whom_it_is_for(self) -> None:
        http = Scripted(self.connector, self.written)
        self.deliver(http, self.writing(Mode.ALWAYS))
        [asked] = self._naming(http)
        assert http.named[http.asked.index(asked)] == (DELIVERY_ID,)
