"""The visitors' browsers: what the page script asks of the hub, and the number each of them sees."""

import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.demo.door import Door, Letter
from sandbox.demo.sources import ORIGIN
from sandbox.demo.visits import View, VisitPlan

_HEADERS = {"origin": ORIGIN, "content-type": "text/plain"}


@dataclass(slots=True)
class Browsers:
    """All browsers of the day. `tokens` are the visitors' by person, `numbers` what each visit showed."""

    door: Door
    site: str
    tokens: dict[int, str] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)
    overflows: int = 0

    def arrive(self, visit: VisitPlan) -> None:
        """The landing page of a visit."""
        shown = self._view(visit, visit.arrival.url, visit.arrival.referrer)
        self.overflows += bool(shown["overflow"])

    def look(self, visit: VisitPlan, view: View) -> None:
        """A further sign of life: a page or a heartbeat."""
        if view.url:
            self._view(visit, view.url, f"{ORIGIN}/")
            return
        said = {"site": self.site, "visitor": self.tokens[visit.person]}
        self.door.send("POST", "/dni/v1/hb", Letter(json.dumps(said).encode(), _HEADERS)).expect(204)

    def _view(self, visit: VisitPlan, url: str, referrer: str) -> dict[str, Any]:
        said = {"site": self.site, "visitor": self.tokens.get(visit.person), "url": url, "referrer": referrer}
        letter = Letter(json.dumps(said).encode(), _HEADERS)
        told = self.door.send("POST", "/dni/v1/visit", letter).expect(200).told()
        self.tokens[visit.person] = str(told["visitor"])
        (shown,) = told["numbers"].values()  # the demo's site has one group of numbers
        self.numbers[visit.number] = str(shown["number"])
        return dict(shown)
