"""The windows company: amoCRM, a big site, ten sources on the web and two on paper."""

from collections.abc import Sequence

from sandbox.demo.company import Company, Numbers, Vendor
from sandbox.demo.sources import Placement, WebSource, paid, tagged

_WEB: Sequence[WebSource] = (
    WebSource(
        "yandex_direct",
        0.26,
        1.5,
        "https://yandex.ru/",
        "yclid",
        (
            paid("okna-moskva-poisk", "/okna", 5, 55_440, "yandex", "пластиковые окна", "окна цена"),
            paid("balkony-rsya", "/balkony", 3, 22_890, "yandex"),
            paid("brend", "/", 1, 7_620, "yandex", "окна ромашка"),
        ),
    ),
    WebSource(
        "google_ads",
        0.14,
        1.3,
        "https://www.google.com/",
        "gclid",
        (
            paid("windows-search", "/okna", 3, 45_930, "google", "окна пвх"),
            paid("balcony-search", "/balkony", 2, 36_780, "google", "остекление балкона"),
        ),
    ),
    WebSource(
        "vk_ads",
        0.09,
        0.6,
        "https://vk.com/",
        "",
        (
            paid("novosely", "/akcii", 2, 14_340, "vk", "новосёлы"),
            paid("lookalike-dacha", "/okna", 1, 11_910, "vk"),
        ),
    ),
    WebSource("yandex_organic", 0.17, 1.0, "https://yandex.ru/"),
    WebSource("google_organic", 0.09, 0.9, "https://www.google.ru/"),
    WebSource("social_vk", 0.05, 0.5, "https://m.vk.com/"),
    WebSource("telegram", 0.04, 0.6, "https://t.me/"),
    WebSource("email", 0.05, 0.9, "", "", (tagged("noyabr-akciya", "/akcii", "newsletter", "email"),)),
    WebSource("referral", 0.03, 0.8, "https://remont-forum.example/topic/4821"),
    WebSource("direct", 0.08, 1.2, ""),
)

WINDOWS = Company(
    key="windows",
    stream="",
    size=1.0,
    name="Окна Ромашка",
    owner="owner@okna-romashka.example",
    crm=Vendor.AMOCRM,
    site="Окна Ромашка",
    host="okna-romashka.example",
    pages=("/", "/okna", "/balkony", "/montazh", "/ceny", "/kontakty", "/akcii", "/otzyvy"),
    free_pages=("/ceny", "/kontakty"),
    spare_site="Дачные окна",
    spare_host="dacha-okna.example",
    staff=("101", "102", "103", "104"),
    staff_mobiles=("+79035550101", "+79035550102"),
    office_network="203.0.113.0/24",
    office_address="203.0.113.7",
    addresses="198.18",
    numbers=Numbers(
        office="+74951110000",
        free="+78005550199",
        overflow="+74951400099",
        free_overflow="+78001400099",
        pool="+7495140",
        free_pool="+7800140",
        spare=tuple(f"+749516000{place:02d}" for place in range(1, 5)),
        spare_overflow="+74951600099",
    ),
    web=_WEB,
    placements=(
        Placement("Billboard on Leninsky", "billboard", "leninsky-prospekt", "+74951500001", 1_250_050),
        Placement("Leaflets in new houses", "leaflet", "novostroyki", "+74951500002", 480_025),
    ),
    scenario="windows.yaml",
    mango=("hk4zqq0wn0demo1mango", "s8w0l2vqk1c9demo7salt"),
    secret=b"a demo secret of 32 bytes, kept.",
)
