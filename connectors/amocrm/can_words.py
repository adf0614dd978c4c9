"""The caveats of what the connector can do, in both languages."""

from collections.abc import Mapping

from connectors.telling import Sentence

can_words: Mapping[str, Mapping[str, Sentence]] = {
    "ru": {
        "can_deal": Sentence("Если номер звонящего скрыт, сделка создаётся без контакта."),
        "can_incoming": Sentence("Это «Неразобранное»; если оно выключено, вместо него создаётся сделка."),
        "can_move": Sentence("Если сделку передвинули в ту же секунду, хаб может передвинуть её дальше оттуда."),
        "can_popup": Sentence("Карточку amoCRM выбирает сама, по последним восьми цифрам номера."),
        "can_read_back": Sentence(
            "Это бюджет сделки или её полностью оплаченные счета; счёт, оплаченный частично, не считается."
        ),
        "can_contact_index": Sentence(
            "По российским и казахстанским телефонам и по e-mail; другие телефоны хаб ищет по одному."
        ),
        "can_doorbell": Sentence(
            "Вебхуки есть на тарифе «Расширенный» и выше; без них хаб узнаёт об изменениях, когда спрашивает сам."
        ),
    },
    "en": {
        "can_deal": Sentence("An anonymous caller gets a deal without a contact."),
        "can_incoming": Sentence("Unsorted; where that is switched off a deal is made instead."),
        "can_move": Sentence("A deal that somebody moves in the very second of ours may be moved on from there."),
        "can_popup": Sentence("amoCRM itself chooses the card, by the last eight digits."),
        "can_read_back": Sentence(
            "The price of the deal, or its invoices paid in full; of a partly paid one nothing counts."
        ),
        "can_contact_index": Sentence("Russian and Kazakh phones, and e-mails; other phones are searched."),
        "can_doorbell": Sentence("Webhooks need the extended plan or higher; without them changes come by polling."),
    },
}
