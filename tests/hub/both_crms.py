"""What tests of both CRMs share: the customer has the one, then the other."""

import pytest


@pytest.fixture(params=["amocrm", "bitrix24"])
def crm_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def a_deal(crm_kind: str) -> str:
    """Return what a scenario says so that a deal is made and no lead; empty, or it ends with a comma."""
    return "" if crm_kind == "amocrm" else 'pipeline: "0", '
