"""A site's habits as JSON text: how they lie in a column, read once for each text."""

from functools import lru_cache

from pydantic import TypeAdapter

from tracking_core.habits import SHEET_HABITS, Habits

_habits = TypeAdapter(Habits)


def write_habits(habits: Habits) -> str:
    """Return habits as JSON text."""
    return _habits.dump_json(habits).decode()


@lru_cache(maxsize=1_024)
def read_habits(text: str | None) -> Habits:
    """Return the habits a site has learned, the general ones where it has not."""
    return _habits.validate_json(text) if text else SHEET_HABITS
