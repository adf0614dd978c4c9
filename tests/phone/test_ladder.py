"""The ladder of a call is read from what SIPp writes down."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.phone import ladder

RULE = "-" * 47
CALLER = f"""{RULE} 2026-11-22 13:00:01.674101
UDP message sent (492 bytes):

INVITE sip:74951112233@127.0.0.1:15060 SIP/2.0\r
Call-ID: 1-6794@127.0.0.1\r

{RULE} 2026-11-22 13:00:01.985920
UDP message received [421] bytes :

SIP/2.0 200 OK\r
{RULE} 2026-11-22 13:00:01.986000
UDP message sent (284 bytes):

ACK sip:main@127.0.0.1:15070 SIP/2.0\r
{RULE} 2026-11-22 13:00:03.986500
UDP message sent (284 bytes):

BYE sip:main@127.0.0.1:15070 SIP/2.0\r
"""
OFFICE = f"""{RULE} 2026-11-22 13:00:01.676000
UDP message received [643] bytes :

INVITE sip:main@127.0.0.1:15070 SIP/2.0\r
"""


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """The message logs of a caller and of the office he called."""
    (tmp_path / "caller").write_bytes(CALLER.encode())
    (tmp_path / "office").write_bytes(OFFICE.encode())
    return tmp_path


def test_the_messages_of_both_telephones_stand_in_their_order(logs: Path) -> None:
    steps = [*ladder.read(logs / "caller", "caller"), *ladder.read(logs / "office", "office")]
    assert ladder.drawn(steps).splitlines() == [
        "13:00:01.674101 caller -> proxy  INVITE sip:74951112233@127.0.0.1:15060",
        "13:00:01.676000  proxy -> office INVITE sip:main@127.0.0.1:15070",
        "13:00:01.985920  proxy -> caller 200 OK",
        "13:00:01.986000 caller -> proxy  ACK sip:main@127.0.0.1:15070",
        "13:00:03.986500 caller -> proxy  BYE sip:main@127.0.0.1:15070",
    ]


def test_a_talk_lasts_from_the_answer_a_telephone_heard_to_the_end(logs: Path) -> None:
    assert ladder.seconds_between(ladder.read(logs / "caller", "caller"), "caller", "200", "BYE") == 2.00058


def test_what_is_repeated_counts_once(logs: Path) -> None:
    steps = ladder.read(logs / "caller", "caller")
    again = [replace(step, at=step.at + timedelta(seconds=9)) for step in steps]
    assert ladder.seconds_between([*again, *steps], "caller", "INVITE", "ACK") == 0.311899


def test_what_the_other_telephone_heard_does_not_count(logs: Path) -> None:
    with pytest.raises(KeyError):
        ladder.seconds_between(ladder.read(logs / "caller", "caller"), "office", "INVITE", "BYE")


def test_a_telephone_that_wrote_nothing_has_no_steps(tmp_path: Path) -> None:
    assert ladder.read(tmp_path / "nothing", "caller") == []
