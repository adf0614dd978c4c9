"""Where visitors and callers are, by the customer's own files: a geographic database and the numbering plan."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import maxminddb
import structlog

from hub.errors import HubError
from tracking_core import regions
from tracking_core.numbering_plan import NO_PLAN, NumberingPlan, read_plan

log = structlog.get_logger()

_SHOWN = 5  # names of the numbering plan we do not know, in the log


class Places:
    """Looks up the region of a visitor's address; without a database nobody has one."""

    def __init__(self, database: Path | None = None) -> None:
        self._reader = _reader(database) if database else None

    @property
    def are_known(self) -> bool:
        """Whether there is a database to look in."""
        return self._reader is not None

    def region(self, address: str) -> str | None:
        """Return the region of an address; None when it is not known. The address itself is kept nowhere."""
        if self._reader is None:
            return None
        try:
            return _region(self._reader.get(address))
        except (ValueError, maxminddb.InvalidDatabaseError):  # not an address, IPv6 in a database of IPv4, a torn file
            return None


def _reader(database: Path) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(database)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise HubError(
            f"The file {database} (HUB_GEO_DATABASE) is no MMDB database that can be read: {error}"
        ) from error


def _region(found: Any) -> str | None:
    """Read both spellings in use: subdivisions with a code, and with an English name alone."""
    place = _part(found)
    country = _part(place.get("country")) or _part(place.get("registered_country"))
    listed = place.get("subdivisions")
    subdivision = _part(listed[0]) if isinstance(listed, list) and listed else {}
    name = _part(subdivision.get("names")).get("en")
    told = (country.get("iso_code"), subdivision.get("iso_code"), name)
    return regions.of_place(*(text if isinstance(text, str) else "" for text in told))


def _part(told: Any) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {}


def numbering_plan(path: Path | None) -> NumberingPlan:
    """Read the numbering plan: a file, or the CSV files of a folder; what cannot be read is counted in the log."""
    if path is None:
        return NO_PLAN
    try:
        files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
        read = read_plan((file.read_bytes() for file in files), regions.of_name)
    except OSError as error:
        raise HubError(f"{path} (HUB_NUMBERING_PLAN) cannot be read: {error.strerror}.") from error
    log.info("numbering_plan.read", files=len(files), ranges=read.ranges)
    if read.unreadable or read.unknown or not read.ranges:
        names = [name for name, _ in read.unknown.most_common(_SHOWN)]
        log.warning(
            "numbering_plan.left_out", lines=read.unreadable, of_no_one_region=read.unknown.total(), names=names
        )
    return read.numbering
