"""The set-up file of a company, written before the day begins."""

from base64 import b64encode
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from sandbox.demo.company import CURRENCY, DAY, ZONE
from sandbox.demo.plan import Day

MANGO, SMALL = "Mango Office", "Small provider"


def set_up_file(day: Day) -> dict[str, Any]:
    """Returns the content of the set-up file of this day's company."""
    company, numbers, opened = day.company, day.company.numbers, DAY.isoformat()
    placements = [
        {
            "name": one.name,
            "source": one.source,
            "campaign": one.campaign,
            "number": one.number,
            "starts_on": opened,
        }
        for one in company.placements
    ]
    main = {
        **_site(company.site, company.host, numbers.overflow),
        "office": [company.office_network],
        "targets": [{"number": numbers.office, "group": "city"}, {"number": numbers.free, "group": "free"}],
        "pools": [
            {"name": "Main pool", "group": "city", "numbers": list(day.pool)},
            {
                "name": "Toll-free pool",
                "group": "free",
                "overflow_number": numbers.free_overflow,
                "numbers": list(company.free_pool_for(len(day.visits))),
            },
        ],
        "placements": placements,
    }
    spare = {
        **_site(company.spare_site, company.spare_host, numbers.spare_overflow),
        "pools": [{"name": "Spare pool", "numbers": list(numbers.spare)}],
    }
    return {
        "tenant": company.name,
        "owner": {"email": company.owner},
        "sites": [main, spare],
        "telephony": [
            {
                "name": MANGO,
                "adapter": "mango",
                "zone": ZONE,
                "secrets": dict(zip(("vpbx_api_key", "vpbx_api_salt"), company.mango, strict=True)),
            },
            {
                "name": SMALL,
                "adapter": "generic",
                "zone": ZONE,
                "secrets": {"secret": f"whsec_{b64encode(company.secret).decode()}"},
            },
        ],
        "scenarios": {company.crm.value: resources.files("sandbox.demo").joinpath(company.scenario).read_text("utf-8")},
    }


def _site(name: str, host: str, overflow: str) -> dict[str, Any]:
    return {
        "name": name,
        "hosts": [host],
        "zone": ZONE,
        "currency": CURRENCY,
        "overflow_number": overflow,
        "hold_minutes": 10,
    }


def write_set_up(day: Day, path: Path) -> None:
    """Writes the set-up file as YAML."""
    path.write_text(yaml.safe_dump(set_up_file(day), allow_unicode=True, sort_keys=False), encoding="utf-8")
