"""What telephony does: it posts the end of each call, and again until somebody answers 200."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.proofs.stage import Stage

_LOOKS = 5_000
_TRIES = 400  # at one event, before the proof says that the hub takes no more


@dataclass
class Exchange:
    """A telephone exchange beside a stage: what it told, what was taken, and how it was refused."""

    stage: Stage
    calls: int = 0
    refusals: list[httpx.Response] = field(default_factory=list)
    _untaken: dict[str, dict[str, Any]] = field(default_factory=dict)

    def call(self) -> None:
        """Let a call end, and tell of it once."""
        self.calls += 1
        told = {"call_id": f"call-{self.calls}", "event": "ended", "at": self.stage.now().isoformat()}
        told |= {"status": "answered", "dialled": "+74952220001", "caller": f"+7916{self.calls:07}", "talk_s": 60}
        self._untaken[f"m{self.calls}"] = told
        self._post(f"m{self.calls}")

    def tell_again(self) -> None:
        """Tell of every call that was not taken, until each is."""
        for _ in range(_TRIES):
            for message_id in list(self._untaken):
                self._post(message_id)
            if not self._untaken:
                return
            self.stage.forward(1)
        raise AssertionError(f"not taken: {self.refusals[-1].text}")

    def until_sending(self) -> None:
        """Let time go on until a batch is under way, or everything is done."""
        for _ in range(_LOOKS):
            seen = self.stage.go_on()
            if "sending" in seen.deliveries or seen.done(self.calls):
                return
        raise AssertionError(f"nothing is sent: {self.stage.look()}")

    def _post(self, message_id: str) -> None:
        answer = self.stage._post(self._untaken[message_id], message_id)
        if answer.status_code == 200:
            del self._untaken[message_id]
        else:
            self.refusals.append(answer)
