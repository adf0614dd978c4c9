"""The histories that benchmarks write by SQL fit the tables as they are."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from bench import match, queue


@pytest.mark.empty
@pytest.mark.parametrize("filled", [match.filled, queue.filled], ids=["match", "queue"])
def test_a_short_history_is_written(
    filled: Callable[[str, int], AbstractContextManager[Any]], database_url: str
) -> None:
    with filled(database_url, 1_000) as made:
        assert made
