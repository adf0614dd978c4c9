"""The whole way through the product: an ad, a number, a call, a deal with its source, a sale, ROI."""

from typing import Any

from world import World

AD = "https://okna.example/?utm_source=yandex&utm_medium=cpc&utm_campaign=okna-msk&utm_term=пластиковые+окна&yclid=777"
IVAN = "+79161234567"


def field(deal: dict[str, Any], code: str) -> str | None:
    for told in deal["custom_fields_values"] or []:
        if told["field_code"] == code:
            return str(told["values"][0]["value"])
    return None


async def test_a_call_from_an_ad_becomes_a_deal_with_its_source(connected: World) -> None:
    shown = await connected.visit(AD)
    connected.clock.forward(90)
    await connected.mango_call("c1", IVAN, shown["number"], talk_s=60)
    await connected.delivered(1)
    state = await connected.state()
    (deal,) = state["leads"]
    assert field(deal, "UTM_SOURCE") == "yandex"
    assert field(deal, "UTM_CAMPAIGN") == "okna-msk"
    assert field(deal, "YCLID") == "777"
    (call,) = (await connected.api("calls"))["calls"]
    assert call["match"]["visitor"] == shown["visitor"]
    assert call["match"]["confidence"] > 0.9
