"""A real telephone exchange on loopback: Kamailio, the office's telephone behind it, and those who call."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.phone import ladder
from tests.phone.courses import Course
from tests.phone.ladder import Step
from tests.phone.machine import LOOPBACK, PATIENCE_S, free_port, has_port, program, until
from tests.phone.telephone import Telephone

_PAGE = Path(__file__).parents[2] / "docs" / "telephony.md"
_PROXY = Path(__file__).parent / "proxy.cfg"
CALLER, OFFICE = "caller", "office"


@dataclass(frozen=True)
class PhoneCall:
    """One call that was placed: its SIP Call-ID and the messages it took."""

    id: str
    steps: tuple[Step, ...]

    @property
    def talked_at_least_s(self) -> float:
        """Seconds from the answer as the caller heard it to the end."""
        return ladder.seconds_between(self.steps, CALLER, "200", "BYE")

    @property
    def talked_at_most_s(self) -> float:
        """Seconds from the answer as the office said it to the end."""
        return ladder.seconds_between(self.steps, OFFICE, "200", "BYE")


class Exchange:
    """An exchange that listens; every file about its calls is in one folder."""

    def __init__(self, folder: Path, office_port: int) -> None:
        self.folder = folder
        self.port, self.office_port = free_port(), office_port
        self._placed = 0

    def call(self, caller: str, dialled: str, course: Course) -> PhoneCall:
        """Call a number from a telephone and let the call take its course; phones are E.164."""
        self._placed += 1
        name = f"call-{self._placed}"
        call_id = f"{name}@{LOOPBACK}"
        line = ("-s", dialled.removeprefix("+"), "-key", "caller", caller.removeprefix("+"), "-cid_str", call_id)
        with Telephone(self.folder, name, OFFICE, course.office, "-p", str(self.office_port)) as office:
            office.listens_at(self.office_port)
            with Telephone(self.folder, name, CALLER, course.caller, *line, f"{LOOPBACK}:{self.port}") as ours:
                ended = [ours.ended(), office.ended()]
        steps = sorted([*ours.steps(), *office.steps()])
        told = f"{call_id} {course.name}: {caller} calls {dialled}\n{ladder.drawn(steps)}{ours.trouble()}{office.trouble()}"
        (self.folder / f"{name}.ladder").write_text(told, encoding="utf-8")
        assert ended == [0, 0], f"the call did not take its course: {ended}\n{told}"
        return PhoneCall(call_id, tuple(steps))


@contextmanager
def opened(folder: Path, address: str, secret: str, office_port: int) -> Iterator[Exchange]:
    """Run an exchange that tells ``address`` of its calls, and asks where they go, as the documentation shows."""
    exchange = Exchange(folder, office_port)
    shutil.copy(_PROXY, folder)
    (folder / "call_tracking.cfg").write_text(documented(address, secret), encoding="utf-8")
    alone = ("-DD", "-E", "-m", "32", "-M", "4")  # it stays our child, speaks to its stderr and takes little memory
    here = ("-f", folder / _PROXY.name, "-Y", folder, "-l", f"udp:{LOOPBACK}:{exchange.port}")
    log = folder / "kamailio.log"
    with log.open("wb") as said:
        proxy = subprocess.Popen([program("kamailio"), *alone, *here], stdout=said, stderr=said)
    try:
        until(lambda: has_port(proxy, exchange.port, log), "Kamailio listens")
        yield exchange
    finally:
        proxy.terminate()
        proxy.wait(PATIENCE_S)


def documented(address: str, secret: str) -> str:
    """Return the configuration the documentation tells people to paste, for this address and secret."""
    page = _PAGE.read_text(encoding="utf-8")
    told = "".join(re.findall(r"^```ini kamailio(?:-route)?\n(.*?)^```$", page, re.DOTALL | re.MULTILINE))
    events, _, token = address.rpartition("/")
    # Where the exchange would ring by itself nobody listens: a call arrives because the hub says where.
    nobody = told.replace("OFFICE", f"{LOOPBACK}:9").replace("TRUNK", f"{LOOPBACK}:9")
    return nobody.replace("SECRET", secret).replace("ADDRESS", address).replace("ROUTE?", f"{events}/v1/route/{token}?")
