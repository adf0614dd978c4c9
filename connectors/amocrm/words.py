"""What the connector says to people, in both languages: code -> what is the matter, and what to do about it."""

from collections.abc import Mapping

from connectors.amocrm.can_words import can_words
from connectors.amocrm.outcome_words import outcome_words
from connectors.telling import Sentence

_RU = {
    "filters_off": Sentence(
        "Платная опция «Фильтрация» в amoCRM выключена. Хаб читает сделки по времени изменения: всё работает, но запросов больше.",
        "Делать ничего не нужно. Если аккаунт большой, опцию можно подключить в amoCRM.",
        is_note=True,
    ),
    "unsorted_off": Sentence(
        "«Неразобранное» выключено: звонки сразу попадают в воронку.",
        "Если хотите разбирать обращения перед воронкой, включите «Неразобранное» в настройках amoCRM.",
        is_note=True,
    ),
    "unsorted_off_in": Sentence(
        "«Неразобранное» выключено в воронках: {pipelines}. Там обращения сразу попадают в воронку.",
        "Если хотите разбирать их, включите «Неразобранное» в настройках этих воронок.",
        is_note=True,
    ),
    "no_admin": Sentence(
        "amoCRM подключил пользователь без прав администратора: хаб не видит сотрудников, не может создать свои поля и узнавать об изменениях сразу.",
        "Подключите аккаунт ещё раз под администратором.",
    ),
    "no_marker": Sentence(
        "В сделках нет поля «{field}», и создать его не удалось. Без него повторная отправка могла бы создать вторую сделку, поэтому новых сделок хаб не создаёт: звонки ждут.",
        "Подключите аккаунт ещё раз под администратором.",
    ),
    "fields_refused": Sentence(
        "amoCRM не дала создать поля источника: {fields}. Источник виден в примечании к сделке и на вкладке «Статистика».",
        "Подключите аккаунт ещё раз под администратором.",
    ),
    "fields_removed": Sentence(
        "В amoCRM удалены поля источника: {fields}. Хаб их больше не заполняет, звонки доходят как прежде.",
        "Чтобы вернуть поля, подключите этот аккаунт ещё раз.",
    ),
    "statistics_removed": Sentence(
        "В amoCRM удалены поля статистики: {fields}. Они останутся пустыми.",
        "Вернуть их можно через поддержку amoCRM. Остальные поля заполняются.",
    ),
    "required_fields": Sentence(
        "На этапах, куда попадают новые сделки, обязательны поля: {fields}. Хаб их не заполняет: amoCRM может отказать в создании сделки.",
        "Снимите обязательность этих полей на первом этапе или впишите их значения в сценарий (fields).",
    ),
    "unpaid": Sentence(
        "Аккаунт amoCRM не оплачен: он не принимает изменений.",
        "Оплатите amoCRM: всё, что ждёт, уйдёт само.",
    ),
    "hooks_plan": Sentence(
        "amoCRM не даёт подписаться на вебхуки: на этом тарифе их нет. Об изменениях сделок хаб узнаёт опросом, с задержкой в несколько минут.",
        "Делать ничего не нужно. Чтобы изменения приходили сразу, нужен расширенный тариф amoCRM.",
        is_note=True,
    ),
    "hooks_no_admin": Sentence(
        "Нет прав подписаться на вебхуки. Об изменениях сделок хаб узнаёт опросом, с задержкой в несколько минут.",
        "Подключите аккаунт ещё раз под администратором.",
    ),
    "hooks_full": Sentence(
        "В аккаунте уже 100 вебхуков, больше amoCRM не принимает. Об изменениях сделок хаб узнаёт опросом.",
        "Удалите в amoCRM ненужные вебхуки: хаб подпишется сам в течение суток.",
    ),
    "hooks_refused": Sentence(
        "amoCRM не приняла подписку на вебхуки ({status}). Об изменениях сделок хаб узнаёт опросом и попробует подписаться ещё раз.",
        "Делать ничего не нужно.",
    ),
    "hooks_still_off": Sentence(
        "amoCRM отключила наш вебхук и не включает его по просьбе хаба. Об изменениях сделок хаб узнаёт опросом.",
        "Включите вебхук с адресом {host} в настройках вебхуков amoCRM.",
    ),
    "hooks_no_way": Sentence(
        "Адрес хаба {host} не виден из интернета, поэтому amoCRM не сможет сообщать об изменениях. Хаб узнаёт о них опросом.",
        "Откройте хаб по внешнему адресу и укажите его в HUB_PUBLIC_URL.",
    ),
    "token_host": Sentence(
        "«{host}» — не адрес аккаунта amoCRM.",
        "Адрес выглядит так: romashka.amocrm.ru. Возьмите его из строки браузера.",
    ),
    "token_unlike": Sentence(
        "Это не похоже на долгосрочный токен.", "Скопируйте токен целиком, без пробелов и переносов строк."
    ),
    "token_no_end": Sentence(
        "Хаб не смог прочитать в токене, до какого дня он действует.", "Укажите этот день в поле «Действует до»."
    ),
    "token_over": Sentence("Срок этого токена уже вышел.", "Создайте в amoCRM новый токен и вставьте его."),
    "token_refused": Sentence(
        "amoCRM не приняла этот токен.",
        "Проверьте, что адрес — того аккаунта, где создан токен, и что токен не отозван. Иначе создайте новый.",
    ),
    "token_nowhere": Sentence(
        "По адресу «{host}» аккаунта нет: возможно, его переименовали.",
        "Возьмите адрес из строки браузера, где открыта amoCRM.",
    ),
}

_EN = {
    "filters_off": Sentence(
        "The paid filter option of amoCRM is off. The hub reads deals by the time of change: everything works, with more requests.",
        "There is nothing to do. For a large account the option can be bought in amoCRM.",
        is_note=True,
    ),
    "unsorted_off": Sentence(
        "Incoming leads (unsorted) are switched off: calls go straight to the pipeline.",
        "To sort enquiries before the pipeline, switch incoming leads on in amoCRM's settings.",
        is_note=True,
    ),
    "unsorted_off_in": Sentence(
        "Incoming leads (unsorted) are switched off in these pipelines: {pipelines}. Enquiries go straight into them.",
        "To sort them first, switch incoming leads on in the settings of these pipelines.",
        is_note=True,
    ),
    "no_admin": Sentence(
        "amoCRM was connected by a user without admin rights: the hub cannot see users, make its fields, or hear of changes at once.",
        "Connect the account again as an administrator.",
    ),
    "no_marker": Sentence(
        "The deal field “{field}” is missing and could not be created. Without it a repeated call could make a second deal, so no new deals are made: calls wait.",
        "Connect the account again as an administrator.",
    ),
    "fields_refused": Sentence(
        "amoCRM did not let the hub create the fields of the source: {fields}. The source is still in the note on the deal and in the statistics tab.",
        "Connect the account again as an administrator.",
    ),
    "fields_removed": Sentence(
        "Fields of the source were deleted in amoCRM: {fields}. The hub does not fill them any more; calls arrive as before.",
        "To have the fields back, connect this account once more.",
    ),
    "statistics_removed": Sentence(
        "Statistics fields were deleted in amoCRM: {fields}. They stay empty.",
        "amoCRM's support can bring them back. All other fields are filled.",
    ),
    "required_fields": Sentence(
        "In the stages where new deals land these fields are required: {fields}. The hub does not fill them: amoCRM may refuse to create the deal.",
        "Make them optional in the first stage, or give them values in the scenario (fields).",
    ),
    "unpaid": Sentence(
        "The amoCRM account is not paid for: it accepts no changes.",
        "Pay for amoCRM: what waits goes by itself.",
    ),
    "hooks_plan": Sentence(
        "amoCRM does not offer webhooks on this plan. The hub asks for changes of deals instead, some minutes late.",
        "There is nothing to do. For changes to come at once amoCRM's extended plan is needed.",
        is_note=True,
    ),
    "hooks_no_admin": Sentence(
        "The hub has no right to subscribe to webhooks. It asks for changes of deals instead, some minutes late.",
        "Connect the account again as an administrator.",
    ),
    "hooks_full": Sentence(
        "The account has 100 webhooks already, and amoCRM takes no more. The hub asks for changes of deals instead.",
        "Delete webhooks in amoCRM that nobody needs: the hub subscribes by itself within a day.",
    ),
    "hooks_refused": Sentence(
        "amoCRM did not accept the subscription to webhooks ({status}). The hub asks for changes of deals instead, and will try again.",
        "There is nothing to do.",
    ),
    "hooks_still_off": Sentence(
        "amoCRM has switched our webhook off and does not switch it on when the hub asks. The hub asks for changes of deals instead.",
        "Switch the webhook of {host} on in amoCRM's settings of webhooks.",
    ),
    "hooks_no_way": Sentence(
        "The hub's address {host} cannot be seen from the internet, so amoCRM cannot tell of changes. The hub asks for them instead.",
        "Have the hub answer under an outside address and set it as HUB_PUBLIC_URL.",
    ),
    "token_host": Sentence(
        "“{host}” is not the address of an amoCRM account.",
        "An address looks like romashka.amocrm.ru. Take it from your browser's address bar.",
    ),
    "token_unlike": Sentence(
        "This does not look like a long-lived token.", "Copy the whole token, without spaces and line breaks."
    ),
    "token_no_end": Sentence(
        "The hub could not read in the token until which day it is good.", "Give that day in the field “Good until”."
    ),
    "token_over": Sentence("This token has ended already.", "Create a new token in amoCRM and paste it."),
    "token_refused": Sentence(
        "amoCRM did not accept this token.",
        "Check that the address is of the account where the token was created, and that it was not revoked. Else create a new one.",
    ),
    "token_nowhere": Sentence(
        "There is no account under “{host}”: it may have been renamed.",
        "Take the address from your browser's address bar with amoCRM open.",
    ),
}

words: Mapping[str, Mapping[str, Sentence]] = {
    "ru": {**_RU, **can_words["ru"], **outcome_words["ru"]},
    "en": {**_EN, **can_words["en"], **outcome_words["en"]},
}
