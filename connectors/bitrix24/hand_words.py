"""What is said of an incoming webhook that a person pastes, in both languages: the console's form, and what it lacks."""

from collections.abc import Mapping

from connectors.telling import Sentence

_RU = {
    "connections.by_token": Sentence("Подключить входящим вебхуком"),
    "token.title": Sentence("Подключить {title} входящим вебхуком"),
    "token.sub": Sentence(
        "Если приложение поставить нельзя, хватит входящего вебхука: звонки и заявки станут сделками, сделки и оплаты хаб прочитает."
        " Вкладки в карточках, карточки звонящего на экране и мгновенных уведомлений при этом не будет."
    ),
    "token.how_1": Sentence(
        "В {title} под администратором откройте «Разработчикам», «Другое», «Входящий вебхук» и дайте ему права CRM (crm) и пользователи (user_basic)."
    ),
    "token.how_2": Sentence("Скопируйте адрес вебхука целиком: он вида https://romashka.bitrix24.ru/rest/1/…/."),
    "token.how_3": Sentence("Вставьте его здесь. Никому больше его не показывайте: кто знает адрес, тот вошёл."),
    "token.token": Sentence("Адрес вебхука"),
    "token.token_hint": Sentence(
        "Это ключ ко всему, что видит его владелец. Хаб хранит его зашифрованным и больше не показывает."
    ),
    "token.until_hint": Sentence("Заполните, если срок вебхука ограничен в {title}: хаб предупредит заранее."),
    "token.there": Sentence(
        "Этот портал уже подключён приложением: вебхук ничего не добавит, а сделки удвоит.",
        "Если приложение больше не нужно, сначала отключите его.",
    ),
    "hook_unlike": Sentence(
        "Это не похоже на адрес входящего вебхука.",
        "Скопируйте его в Битрикс24 целиком: https://romashka.bitrix24.ru/rest/1/…/",
    ),
    "hook_over": Sentence("Срок этого вебхука уже вышел.", "Создайте новый и вставьте его адрес."),
    "hook_refused": Sentence(
        "Битрикс24 не принял этот вебхук: его удалили, его срок вышел, или адрес скопирован не целиком.",
        "Создайте новый под администратором и вставьте его адрес.",
    ),
    "hook_nowhere": Sentence("По адресу {host} нет портала Битрикс24.", "Проверьте адрес: портал могли переименовать."),
    "hook_no_crm": Sentence(
        "У этого вебхука нет прав на CRM.", "Дайте ему в Битрикс24 право «CRM (crm)» и вставьте адрес ещё раз."
    ),
    "by_hook": Sentence(
        "Портал подключён входящим вебхуком: нет событий (об изменениях хаб узнаёт опросом), вкладки в карточках, карточки звонящего на экране и звонков в телефонии.",
        "Чтобы это было, установите приложение хаба в этом портале: подключение продолжится с того же места.",
        is_note=True,
    ),
}

_EN = {
    "connections.by_token": Sentence("Connect by an incoming webhook"),
    "token.title": Sentence("Connect {title} by an incoming webhook"),
    "token.sub": Sentence(
        "Where no application can be installed an incoming webhook is enough: calls and forms become deals, deals and payments are read back."
        " There is no tab on cards, no caller's card on the screen and no notice at once then."
    ),
    "token.how_1": Sentence(
        "In {title} as an administrator open Developer resources, Other, Incoming webhook, and give it CRM (crm) and users, basic (user_basic)."
    ),
    "token.how_2": Sentence("Copy the webhook's whole address: it is like https://acme.bitrix24.com/rest/1/…/."),
    "token.how_3": Sentence("Paste it here, and show it to nobody else: who knows the address is in."),
    "token.token": Sentence("Address of the webhook"),
    "token.token_hint": Sentence(
        "It opens all that its owner sees. The hub keeps it encrypted and does not show it again."
    ),
    "token.until_hint": Sentence("Give it if the webhook ends in {title}: the hub warns in time."),
    "token.there": Sentence(
        "This portal is connected by the application already: a webhook adds nothing and would double the deals.",
        "If the application is not wanted any more, disconnect it first.",
    ),
    "hook_unlike": Sentence(
        "This does not look like the address of an incoming webhook.",
        "Copy all of it in Bitrix24: https://acme.bitrix24.com/rest/1/…/",
    ),
    "hook_over": Sentence("This webhook has ended already.", "Make a new one and paste its address."),
    "hook_refused": Sentence(
        "Bitrix24 did not take this webhook: it was deleted, it has ended, or its address was not copied whole.",
        "Make a new one as an administrator and paste its address.",
    ),
    "hook_nowhere": Sentence(
        "There is no Bitrix24 portal at {host}.", "Check the address: the portal may have been renamed."
    ),
    "hook_no_crm": Sentence(
        "This webhook has no right to the CRM.", "Give it “CRM (crm)” in Bitrix24 and paste the address again."
    ),
    "by_hook": Sentence(
        "The portal is connected by an incoming webhook: there are no events (the hub asks for changes), no tab on cards, no caller's card on the screen and no calls in the telephony.",
        "To have these, install the hub's application in this portal: the connection goes on where it is.",
        is_note=True,
    ),
}

hand_words: Mapping[str, Mapping[str, Sentence]] = {"ru": _RU, "en": _EN}
