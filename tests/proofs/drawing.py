"""What a department does next, and to which deals: drawn from a seed, the same for every CRM."""

import random
from collections.abc import Callable, Collection, Sequence

OURS = 0.3  # share of changes that meet deals the hub made
Deed = Callable[[], int]  # returns how many changes it made


def deed(dice: random.Random, deeds: Sequence[tuple[Deed, int]]) -> Deed:
    """Draw one deed, each as often as its number says."""
    (drawn,) = dice.choices([one for one, _ in deeds], [often for _, often in deeds])
    return drawn


def deals(dice: random.Random, number: int, live: Collection[int], ours: Collection[int]) -> list[int]:
    """Draw so many deals of those that are there, the hub's own more often than others."""
    own = [deal for deal in ours if deal in live]
    found: dict[int, None] = {}
    while len(found) < number:
        among = own if len(own) > number and dice.random() < OURS else list(live)
        found[dice.choice(among)] = None
    return list(found)
