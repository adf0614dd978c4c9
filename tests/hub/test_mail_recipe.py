"""The documented script posts a Maildir's letters to a real hub: a letter leaves the folder when the hub has it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.store.tables import Enquiry, table_of
from tests.house.test_docs import example
from tests.hub import world as worlds
from tests.hub.test_mail_door import SETUP, letter
from tests.hub.world import World
from tests.sandbox.loopback import served


@pytest.fixture
def mail(sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    file = tmp_path / "hub.sqlite3"
    file.write_bytes(sqlite_template.read_bytes())
    with worlds.still(f"sqlite:///{file}", tmp_path, SETUP) as made:
        yield made


def run(folder: Path, address: str) -> subprocess.CompletedProcess[str]:
    script = folder.parent / "post-letters"
    script.write_text(example("mail.md", "post"), encoding="utf-8")
    return subprocess.run(["sh", script, folder, address], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    """A Maildir with a letter, and with something that is none."""
    new = tmp_path / "Mail dir" / "new"
    new.mkdir(parents=True)
    (new / "1.letter").write_bytes(letter())
    (new / "2.other").write_bytes(b"\x00")
    return new.parent


def test_a_letter_leaves_the_folder_when_the_hub_has_it(mail: World, maildir: Path) -> None:
    with served(mail.app, lifespan="off") as at:
        done = run(maildir, at + mail.applied.sites[0]["mail"])
    assert (done.returncode, list((maildir / "new").iterdir())) == (0, [])
    assert [one.name for one in (maildir / "refused").iterdir()] == ["2.other"]
    kinds = mail.hub.db.read_now(lambda tx: list(tx.execute(select(table_of(Enquiry).c.kind)).scalars()))
    assert kinds == ["mail"]


def test_what_the_hub_did_not_take_stays_in_the_folder(mail: World, maildir: Path) -> None:
    with served(mail.app, lifespan="off") as at:
        refused = run(maildir, f"{at}/mail/v1/wrong")
    unheard = run(maildir, at + mail.applied.sites[0]["mail"])  # nobody listens there any more
    for done in (refused, unheard):
        assert (done.returncode, "the letters stay in" in done.stderr) == (1, True)
    assert len(list((maildir / "new").iterdir())) == 2
