"""What a proof counts in the CRM: deals and call notes by our markers, and how many are too many."""

from collections import Counter
from typing import Any


def deals(state: dict[str, Any]) -> Counter[str]:
    """Count the deals that carry each of our markers."""
    fields = [told for deal in state["leads"] for told in deal["custom_fields_values"] or []]
    return Counter(told["values"][0]["value"] for told in fields if told["field_code"] == "HUB_CALL_ID")


def call_notes(state: dict[str, Any]) -> Counter[str]:
    """Count the call notes that carry each of our markers."""
    return Counter(note["params"]["uniq"] for note in state["notes"] if note["note_type"] == "call_in")


def doubled(found: Counter[str]) -> int:
    """Return how many there are beyond one for each marker."""
    return found.total() - len(found)
