"""What every proof needs: whether it runs at its full size, and a hub in this process beside a sandbox."""

import pytest

from tests.hub.conftest import connected as connected
from tests.hub.conftest import crm as crm
from tests.hub.conftest import hand_clock as hand_clock
from tests.hub.conftest import set_up as set_up
from tests.hub.conftest import world as world

pytest.register_assert_rewrite("tests.proofs.queue_model")  # before anybody imports it: its asserts tell what differs


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Say whether the proofs run at full size (make proofs FULL=1)."""
    return bool(request.config.getoption("--full"))
