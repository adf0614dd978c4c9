"""What a field of a card that is there becomes, by how it is to be written; pure."""

from connectors.scenario_rules import Mode, Write

JOINED_BY = "; "


def becomes(write: Write, now: str, most: int) -> str | None:
    """Return the text a field of at most ``most`` characters becomes; None where it stays as it is.

    What is added stands behind the rest, once: the oldest goes where there is no room for all.
    """
    text = write.text[:most]
    if not text or (now and write.mode in (Mode.IF_EMPTY, Mode.FIRST)):
        return None
    if write.mode is Mode.APPEND and now:
        pieces = now.split(JOINED_BY)
        if text in pieces:
            return None
        while pieces and len(JOINED_BY.join([*pieces, text])) > most:
            pieces.pop(0)
        text = JOINED_BY.join([*pieces, text])
    return text if text != now else None
