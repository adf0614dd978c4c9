"""The set-up file, written before the day begins."""

from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from sandbox.demo import company
from sandbox.demo.plan import Day
from sandbox.demo.sources import HOST, PLACEMENTS
from sandbox.demo.telephony import GENERIC_SECRET, MANGO_KEY, MANGO_SALT

MAIN_SITE = "Окна Ромашка"
MANGO, SMALL = "Mango Office", "Small provider"


def set_up_file(day: Day) -> dict[str, Any]:
    """Returns the content of the set-up file of this day's company."""
    opened = company.DAY.isoformat()
    placements = [
        {
            "name": one.name,
            "source": one.source,
            "campaign": one.campaign,
            "number": one.number,
            "starts_on": opened,
        }
        for one in PLACEMENTS
    ]
    main = {
        **_site(MAIN_SITE, HOST, company.OVERFLOW),
        "office": [company.OFFICE_NETWORK],
        "targets": [{"number": company.OFFICE, "group": "city"}, {"number": company.FREE, "group": "free"}],
        "pools": [
            {"name": "Main pool", "group": "city", "numbers": list(day.pool)},
            {
                "name": "Toll-free pool",
                "group": "free",
                "overflow_number": company.FREE_OVERFLOW,
                "numbers": list(company.free_pool_for(len(day.visits))),
            },
        ],
        "placements": placements,
    }
    spare = {
        **_site(company.SPARE_SITE, company.SPARE_HOST, company.SPARE_OVERFLOW),
        "pools": [{"name": "Spare pool", "numbers": list(company.SPARE_NUMBERS)}],
    }
    return {
        "tenant": company.TENANT,
        "owner": {"email": company.OWNER},
        "sites": [main, spare],
        "telephony": [
            {
                "name": MANGO,
                "adapter": "mango",
                "zone": company.ZONE,
                "secrets": {"vpbx_api_key": MANGO_KEY, "vpbx_api_salt": MANGO_SALT},
            },
            {
                "name": SMALL,
                "adapter": "generic",
                "zone": company.ZONE,
                "secrets": {"secret": GENERIC_SECRET},
            },
        ],
        "scenarios": {"amocrm": resources.files("sandbox.demo").joinpath("scenario.yaml").read_text("utf-8")},
    }


def _site(name: str, host: str, overflow: str) -> dict[str, Any]:
    return {
        "name": name,
        "hosts": [host],
        "zone": company.ZONE,
        "currency": company.CURRENCY,
        "overflow_number": overflow,
        "hold_minutes": 10,
    }


def write_set_up(day: Day, path: Path) -> None:
    """Writes the set-up file as YAML."""
    path.write_text(yaml.safe_dump(set_up_file(day), allow_unicode=True, sort_keys=False), encoding="utf-8")
