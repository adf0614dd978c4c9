"""The kitchens company: a Bitrix24 portal, forms on its site, and customers who pay an advance before the rest."""

from collections.abc import Sequence

from sandbox.demo.company import Company, Numbers, Vendor
from sandbox.demo.sources import Placement, WebSource, paid, tagged

_WEB: Sequence[WebSource] = (
    WebSource(
        "yandex_direct",
        0.28,
        1.4,
        "https://yandex.ru/",
        "yclid",
        (
            paid("kuhni-spb-poisk", "/kuhni", 4, 61_270, "yandex", "кухня на заказ", "кухни спб"),
            paid("shkafy-rsya", "/shkafy", 2, 18_430, "yandex"),
        ),
    ),
    WebSource(
        "google_ads",
        0.12,
        1.2,
        "https://www.google.com/",
        "gclid",
        (paid("kitchens-search", "/kuhni", 1, 52_810, "google", "кухни от производителя"),),
    ),
    WebSource("vk_ads", 0.12, 0.7, "https://vk.com/", "", (paid("remont-kvartiry", "/akcii", 1, 12_690, "vk"),)),
    WebSource("yandex_organic", 0.18, 1.0, "https://yandex.ru/"),
    WebSource("google_organic", 0.08, 0.9, "https://www.google.ru/"),
    WebSource("pinterest", 0.06, 0.4, "https://www.pinterest.com/"),
    WebSource("email", 0.04, 0.9, "", "", (tagged("novye-fasady", "/akcii", "newsletter", "email"),)),
    WebSource("direct", 0.12, 1.1, ""),
)

KITCHENS = Company(
    key="kitchens",
    stream="kitchens:",
    size=1 / 4,
    name="Кухни Берёза",
    owner="owner@kuhni-bereza.example",
    crm=Vendor.BITRIX24,
    site="Кухни Берёза",
    host="kuhni-bereza.example",
    pages=("/", "/kuhni", "/shkafy", "/raboty", "/zamer", "/kontakty", "/akcii"),
    free_pages=("/zamer", "/kontakty"),
    spare_site="Столешницы",
    spare_host="stoleshnicy.example",
    staff=("201", "202", "203"),
    staff_mobiles=("+79215550201", "+79215550202"),
    office_network="198.51.100.0/24",
    office_address="198.51.100.7",
    addresses="198.19",
    numbers=Numbers(
        office="+78121110000",
        free="+78005550299",
        overflow="+78122400099",
        free_overflow="+78002400099",
        pool="+7812240",
        free_pool="+7800240",
        spare=tuple(f"+781226000{place:02d}" for place in range(1, 4)),
        spare_overflow="+78122600099",
    ),
    web=_WEB,
    placements=(
        Placement("Stand in the building market", "stand", "stroyrynok", "+78122500001", 310_040),
        Placement("Lifts of new houses", "lift", "novostroyki-spb", "+78122500002", 224_015),
    ),
    scenario="kitchens.yaml",
    mango=("kx7demo2mango0bereza", "t3demo9salt5kitchens"),
    secret=b"another demo secret, of kitchens",
    forms=0.02,
    advances=0.6,
)
