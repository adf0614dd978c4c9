"""The regions by ISO 3166-2: area codes of fixed phones, names in two languages, and how else they are spelt.

A row: codes | area codes behind +7 | Russian name | English name | other spellings. Where a row has several codes, the
numbering plan does not tell these regions apart, so for us they are the first of them: Moscow and its oblast, Saint
Petersburg and Leningrad oblast, Arkhangelsk and the Nenets district, Crimea and Sevastopol. The codes are those by
which geographic databases name the place, so that a phone's region can equal a visit's.

Sources: ISO 3166-2; area codes as ``phonenumbers`` knows them; English names as GeoNames and its followers write them.
"""

REGIONS = """
RU-AD | 877 | Республика Адыгея | Adygea | Майкоп; Maykop; Adygeya; Adigeya
RU-AL | 388 | Республика Алтай | Altai Republic | Алтай; Горно-Алтайск; Altai; Altay; Gorno-Altay
RU-ALT | 385 | Алтайский край | Altai Krai | Барнаул; Barnaul; Altai Kray; Altai Territory; Altay Krai; Altayskiy
RU-AMU | 416 | Амурская область | Amur Oblast | Благовещенск; Amurskaya
RU-ARK RU-NEN | 818 | Архангельская область | Arkhangelsk Oblast | Архангельск; Arkhangelskaya; Ненецкий АО; Nenets
RU-AST | 851 | Астраханская область | Astrakhan Oblast | Астрахань; Astrakhanskaya
RU-BA | 347 | Республика Башкортостан | Bashkortostan | Башкирия; Уфа; Ufa; Bashkiria
RU-BEL | 472 | Белгородская область | Belgorod Oblast | Белгород; Belgorodskaya
RU-BRY | 483 | Брянская область | Bryansk Oblast | Брянск; Bryanskaya
RU-BU | 301 | Республика Бурятия | Buryatia | Улан-Удэ; Ulan-Ude; Buryatiya
RU-CE | 871 | Чеченская Республика | Chechnya | Чечня; Грозный; Grozny; Chechen
RU-CHE | 351 | Челябинская область | Chelyabinsk Oblast | Челябинск; Chelyabinskaya
RU-CHU | 427 | Чукотский АО | Chukotka | Чукотка; Анадырь; Anadyr; Chukot; Chukotskiy
RU-CU | 835 | Чувашская Республика | Chuvashia | Чувашская - Чувашия; Чувашия; Чебоксары; Cheboksary; Chuvash; Chuvashi
RU-DA | 872 | Республика Дагестан | Dagestan | Махачкала; Makhachkala; Daghestan
RU-IN | 873 | Республика Ингушетия | Ingushetia | Магас; Magas; Назрань; Ingushetiya; Ingush; Ingushi
RU-IRK | 395 | Иркутская область | Irkutsk Oblast | Иркутск; Irkutskaya
RU-IVA | 493 | Ивановская область | Ivanovo Oblast | Иваново; Ivanovskaya
RU-KAM | 415 | Камчатский край | Kamchatka Krai | Камчатка; Петропавловск-Камчатский; Kamchatskiy
RU-KB | 866 | Кабардино-Балкарская Республика | Kabardino-Balkaria | Кабардино-Балкария; Нальчик; Nalchik; \
Kabardino-Balkariya; Kabardino-Balkarian
RU-KC | 878 | Карачаево-Черкесская Республика | Karachay-Cherkessia | Карачаево-Черкессия; Черкесск; Cherkessk; \
Karachayevo-Cherkesiya; Karachayevo-Cherkessian; Karachayevo-Cherkessiya
RU-KDA | 861 862 | Краснодарский край | Krasnodar Krai | Краснодар; Сочи; Sochi; Кубань; Krasnodarskiy
RU-KEM | 384 | Кемеровская область | Kemerovo Oblast | Кемерово; Кузбасс; Кемеровская - Кузбасс; Kuzbass; \
Kemerovskaya; Kemerovo Oblast - Kuzbass
RU-KGD | 401 | Калининградская область | Kaliningrad Oblast | Калининград; Kaliningradskaya
RU-KGN | 352 | Курганская область | Kurgan Oblast | Курган; Kurganskaya
RU-KHA | 421 | Хабаровский край | Khabarovsk Krai | Хабаровск; Khabarovskiy
RU-KHM | 346 | Ханты-Мансийский АО | Khanty-Mansi | Ханты-Мансийский - Югра; Ханты-Мансийск; ХМАО; ХМАО - Югра; Югра; \
Сургут; Surgut; Khanty-Mansia; Khanty-Mansiy; Khanty-Mansi - Yugra; Khanty-Mansiyskiy
RU-KIR | 833 | Кировская область | Kirov Oblast | Киров; Kirovskaya
RU-KK | 390 | Республика Хакасия | Khakassia | Абакан; Abakan; Khakasiya; Khakasia
RU-KL | 847 | Республика Калмыкия | Kalmykia | Элиста; Elista; Kalmykiya
RU-KLU | 484 | Калужская область | Kaluga Oblast | Калуга; Kaluzhskaya
RU-KO | 821 | Республика Коми | Komi | Сыктывкар; Syktyvkar
RU-KOS | 494 | Костромская область | Kostroma Oblast | Кострома; Kostromskaya
RU-KR | 814 | Республика Карелия | Karelia | Петрозаводск; Petrozavodsk; Kareliya
RU-KRS | 471 | Курская область | Kursk Oblast | Курск; Kurskaya
RU-KYA | 391 | Красноярский край | Krasnoyarsk Krai | Красноярск; Krasnoyarskiy
RU-LIP | 474 | Липецкая область | Lipetsk Oblast | Липецк; Lipetskaya
RU-MAG | 413 | Магаданская область | Magadan Oblast | Магадан; Magadanskaya
RU-ME | 836 | Республика Марий Эл | Mari El | Йошкар-Ола; Yoshkar-Ola; Mariy-El; Marij El; Mariy El
RU-MO | 834 | Республика Мордовия | Mordovia | Саранск; Saransk; Mordoviya
RU-MOW RU-MOS | 495 496 498 499 | Москва и область | Moscow and oblast | Москва; Московская область; Moscow; \
Moskva; Moskovskaya; МСК
RU-MUR | 815 | Мурманская область | Murmansk Oblast | Мурманск; Murmanskaya
RU-NGR | 816 | Новгородская область | Novgorod Oblast | Великий Новгород; Veliky Novgorod; Novgorodskaya
RU-NIZ | 831 | Нижегородская область | Nizhny Novgorod Oblast | Нижний Новгород; Nizhni Novgorod; Nizhegorodskaya; \
Nizhniy Novgorod
RU-NVS | 383 | Новосибирская область | Novosibirsk Oblast | Новосибирск; Novosibirskaya
RU-OMS | 381 | Омская область | Omsk Oblast | Омск; Omskaya
RU-ORE | 353 | Оренбургская область | Orenburg Oblast | Оренбург; Orenburgskaya
RU-ORL | 486 | Орловская область | Oryol Oblast | Орёл; Orel; Orlovskaya
RU-PER | 342 | Пермский край | Perm Krai | Пермь; Permskiy
RU-PNZ | 841 | Пензенская область | Penza Oblast | Пенза; Penzenskaya
RU-PRI | 423 | Приморский край | Primorsky Krai | Приморье; Владивосток; Vladivostok; Primorye; Primorie; Primorskiy; \
Primor'ye
RU-PSK | 811 | Псковская область | Pskov Oblast | Псков; Pskovskaya
RU-ROS | 863 | Ростовская область | Rostov Oblast | Ростов-на-Дону; Rostov-on-Don; Rostovskaya
RU-RYA | 491 | Рязанская область | Ryazan Oblast | Рязань; Ryazanskaya
RU-SA | 411 | Республика Саха (Якутия) | Sakha (Yakutia) | Саха; Якутия; Якутск; Yakutsk; Sakha; Yakutia; Yakutiya; \
Sakha Yakutiya
RU-SAK | 424 | Сахалинская область | Sakhalin Oblast | Сахалин; Южно-Сахалинск; Sakhalinskaya
RU-SAM | 846 848 | Самарская область | Samara Oblast | Самара; Тольятти; Tolyatti; Samarskaya
RU-SAR | 845 | Саратовская область | Saratov Oblast | Саратов; Saratovskaya
RU-SE | 867 | Республика Северная Осетия - Алания | North Ossetia - Alania | Северная Осетия; Владикавказ; \
Vladikavkaz; North Ossetia; North Ossetia - Alaniya
RU-SMO | 481 | Смоленская область | Smolensk Oblast | Смоленск; Smolenskaya
RU-SPE RU-LEN | 812 813 | Санкт-Петербург и область | Saint Petersburg and oblast | Санкт-Петербург; Петербург; СПб; \
Ленинградская область; Saint Petersburg; St Petersburg; Sankt-Peterburg; Leningrad; Leningradskaya
RU-STA | 865 879 | Ставропольский край | Stavropol Krai | Ставрополь; Stavropolskiy
RU-SVE | 343 | Свердловская область | Sverdlovsk Oblast | Екатеринбург; Ekaterinburg; Yekaterinburg; Sverdlovskaya
RU-TA | 843 855 | Республика Татарстан | Tatarstan | Татария; Казань; Kazan; Набережные Челны; Naberezhnye Chelny
RU-TAM | 475 | Тамбовская область | Tambov Oblast | Тамбов; Tambovskaya
RU-TOM | 382 | Томская область | Tomsk Oblast | Томск; Tomskaya
RU-TUL | 487 | Тульская область | Tula Oblast | Тула; Tulskaya
RU-TVE | 482 | Тверская область | Tver Oblast | Тверь; Tverskaya; Tver'
RU-TY | 394 | Республика Тыва | Tuva | Тува; Кызыл; Kyzyl; Tyva
RU-TYU | 345 | Тюменская область | Tyumen Oblast | Тюмень; Tyumenskaya; Tyumen'
RU-UD | 341 | Удмуртская Республика | Udmurtia | Удмуртия; Ижевск; Izhevsk; Udmurtiya; Udmurt; Udmurtian
RU-ULY | 842 | Ульяновская область | Ulyanovsk Oblast | Ульяновск; Ulyanovskaya
RU-VGG | 844 | Волгоградская область | Volgograd Oblast | Волгоград; Volgogradskaya
RU-VLA | 492 | Владимирская область | Vladimir Oblast | Владимир; Vladimirskaya
RU-VLG | 817 820 | Вологодская область | Vologda Oblast | Вологда; Череповец; Cherepovets; Vologodskaya
RU-VOR | 473 | Воронежская область | Voronezh Oblast | Воронеж; Voronezhskaya
RU-YAN | 349 | Ямало-Ненецкий АО | Yamalo-Nenets | ЯНАО; Ямал; Салехард; Salekhard; Yamalo-Nenetskiy; Yamal-Nenets
RU-YAR | 485 | Ярославская область | Yaroslavl Oblast | Ярославль; Yaroslavskaya
RU-YEV | 426 | Еврейская АО | Jewish Autonomous Oblast | Еврейская; Биробиджан; Birobidzhan; Yevreyskaya; Jewish
RU-ZAB | 302 | Забайкальский край | Zabaykalsky Krai | Забайкалье; Чита; Chita; Zabaykalskiy; Transbaikal; \
Zabaykalskiy (Transbaikal); Zabaykal'skiy
UA-09 | 857 | Луганская Народная Республика | Luhansk | Луганская; Луганск; ЛНР; Lugansk; Luhanska; Luhans'k
UA-14 | 856 | Донецкая Народная Республика | Donetsk | Донецкая; Донецк; ДНР; Donetska; Donets'k
UA-23 | | Запорожская область | Zaporizhzhia | Запорожье; Zaporizhia; Zaporozhye; Zaporizhzhya; Zaporizka
UA-43 UA-40 | 365 869 | Крым и Севастополь | Crimea and Sevastopol | Крым; Симферополь; Simferopol; Севастополь; \
Sevastopol; Crimea; Krym
UA-65 | 860 | Херсонская область | Kherson | Херсон; Khersonska
AM | | Армения | Armenia |
AZ | | Азербайджан | Azerbaijan |
BY | | Беларусь | Belarus | Белоруссия
GE | | Грузия | Georgia |
KG | | Киргизия | Kyrgyzstan | Кыргызстан
KZ | | Казахстан | Kazakhstan |
MD | | Молдавия | Moldova | Молдова
TJ | | Таджикистан | Tajikistan |
TM | | Туркменистан | Turkmenistan | Туркмения
UA | | Украина | Ukraine |
UZ | | Узбекистан | Uzbekistan |
"""

# What says only of which kind a region is.
KINDS = """
республика респ область обл край город г го федерального значения автономный автономная автономной округ ао народная
republic respublika of the oblast krai kray territory region area city federal gorod g autonomous okrug district
avtonomnyy peoples
"""
