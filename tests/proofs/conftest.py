"""What every proof needs to know: whether it runs at its full size."""

import pytest

pytest.register_assert_rewrite("tests.proofs.queue_model")  # before anybody imports it: its asserts tell what differs


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    """Say whether the proofs run at full size (make proofs FULL=1)."""
    return bool(request.config.getoption("--full"))
