"""A tiny database of addresses in MMDB format, in both spellings that are in use."""

from pathlib import Path

import mmdb_writer
from netaddr import IPSet

MOSCOW, KAZAN, NAMED, COUNTRY = "192.0.2.1", "198.51.100.1", "203.0.113.1", "203.0.113.129"
ODD, UNKNOWN = "192.0.2.129", "192.0.2.200"

_PLACES = {
    "192.0.2.0/25": {"country": {"iso_code": "RU"}, "subdivisions": [{"iso_code": "MOS"}]},
    "198.51.100.0/24": {
        "country": {"iso_code": "RU"},
        "subdivisions": [{"iso_code": "TA", "names": {"en": "Tatarstan"}}],
    },
    "203.0.113.0/25": {"country": {"iso_code": "RU"}, "subdivisions": [{"names": {"en": "Sverdlovsk Oblast"}}]},
    "203.0.113.128/25": {"country": {"iso_code": "KZ"}},
    "192.0.2.128/26": {"country": "RU", "subdivisions": {"iso_code": "TA"}},
}


def written(path: Path) -> Path:
    """Write the database; return its path."""
    writer = mmdb_writer.MMDBWriter(4, "Test-City", languages=["en"], description="for tests")
    for network, place in _PLACES.items():
        writer.insert_network(IPSet([network]), place)
    writer.to_db_file(str(path))
    return path
