"""What became of a delivery, and why a portal is left alone, in both languages: code -> what is so, what to do."""

from collections.abc import Mapping

from connectors.telling import Sentence

_NOTHING_RU = "Делать ничего не нужно."
_NOTHING_EN = "There is nothing to do."
_AGAIN_RU = "Исправьте сценарий, примените его (cthub apply) и нажмите «Отправить ещё раз»."
_AGAIN_EN = "Correct the scenario, apply it (cthub apply) and press “Send again”."

_RU = {
    # of calls
    "no_statistics": Sentence(
        "Битрикс24 не показывает хабу статистику звонков, а по сценарию карточки звонков делает телефония портала.",
        "Дайте тому, кто подключил хаб, право смотреть статистику звонков: звонки ждут и уйдут сами.",
    ),
    "no_call_yet": Sentence(
        "В статистике звонков Битрикс24 этого звонка ещё нет.", "Делать ничего не нужно: хаб посмотрит ещё раз."
    ),
    "no_call_there": Sentence(
        "За полчаса после разговора этот звонок не появился в статистике звонков Битрикс24, поэтому источник записать некуда.",
        "Проверьте, что номер принимает телефония портала. Если нет, уберите из сценария telephony: observe и нажмите «Отправить ещё раз».",
    ),
    "no_card_yet": Sentence(
        "Звонок в Битрикс24 есть, а карточки у него ещё нет.", "Делать ничего не нужно: хаб посмотрит ещё раз."
    ),
    "no_card_there": Sentence(
        "Телефония Битрикс24 не создала для этого звонка ни лида, ни сделки, ни контакта.",
        "Создайте карточку для этого номера и нажмите «Отправить ещё раз», или включите её создание в настройках телефонии портала.",
    ),
    "source_not_on_card": Sentence(
        "Битрикс24 не дал записать источник в поля карточки: {words}.", "Источник виден в комментарии."
    ),
    "fields_refused": Sentence("Битрикс24 не дал записать поля сделки: {words}."),
    "call_not_on_deal": Sentence(
        "Звонок записан в контакт, но не показан в сделке: {words}.", "Звонок и его запись видны в контакте."
    ),
    "record_refused": Sentence(
        "Битрикс24 не принял запись разговора: {words}.",
        "Ссылка на запись есть в комментарии, если она есть в сценарии.",
    ),
    "no_trace": Sentence(
        "Сквозная аналитика Битрикс24 не приняла визит: {words}.", "Источник виден в карточке и в комментарии."
    ),
    # of the account
    "user_off": Sentence(
        "Пользователь, который подключил Битрикс24, уволен или отключён.",
        "Подключите портал ещё раз под администратором.",
    ),
    "app_gone": Sentence("Приложение удалено из Битрикс24.", "Установите его и подключите портал ещё раз."),
    "app_unknown": Sentence(
        "Сервер авторизации Битрикс24 не знает это приложение или его ключ.",
        "Проверьте client_id и client_secret приложения в настройках хаба.",
    ),
    "no_rights": Sentence(
        "У пользователя, который подключил Битрикс24, не хватает прав на CRM.",
        "Дайте ему полные права на сделки, лиды и контакты или подключите портал ещё раз под администратором.",
    ),
    "no_scope": Sentence(
        "Приложению в Битрикс24 не дано нужное право.", "Откройте приложение под администратором и дайте ему права."
    ),
    "user_kept_out": Sentence(
        "Пользователю, который подключил Битрикс24, закрыт доступ к приложению.",
        "Верните доступ в настройках приложения или подключите портал ещё раз под администратором.",
    ),
    "not_confirmed": Sentence(
        "Битрикс24 ждёт, что администратор разрешит приложению этот запрос.",
        "Разрешите его в уведомлениях Битрикс24: звонки ждут и уйдут сами.",
    ),
    "no_rest": Sentence(
        "На этом портале REST недоступен: он есть только на коммерческих тарифах.",
        "Подключите тариф Битрикс24 с REST: звонки ждут и уйдут сами.",
    ),
    "portal_gone": Sentence("Портал Битрикс24 удалён.", "Отключите его в хабе или подключите другой."),
    "nobody_here": Sentence(
        "По прежнему адресу портала Битрикс24 больше нет: его переименовали или удалили.",
        "Хаб узнаёт новый адрес сам. Если за час это не прошло, подключите портал ещё раз.",
    ),
    "too_much_time": Sentence(
        "Битрикс24 считает, что запросы хаба заняли слишком много его времени, и просит подождать.",
        "Делать ничего не нужно. Если так бывает часто, проверьте роботов, которые запускаются на новых сделках.",
    ),
    "overloaded": Sentence(
        "Битрикс24 заблокировал REST этого портала из-за перегрузки.",
        "Снять блокировку может только поддержка Битрикс24: напишите ей.",
    ),
    "losing": Sentence(
        "Ответы Битрикс24 теряются один за другим.",
        "Делать ничего не нужно: хаб проверит, что дошло, и повторит остальное.",
    ),
    "consent_elsewhere": Sentence(
        "Согласие вернулось с адреса, который не похож на портал Битрикс24.", "Подключите портал ещё раз."
    ),
    "other_account": Sentence(
        "Доступ дан к другому порталу Битрикс24 ({found} вместо {account}).", "Подключите нужный портал ещё раз."
    ),
    "no_renewal": Sentence("Доступ нельзя продлить: для этого нет токена.", "Подключите портал ещё раз."),
    "grant_refused": Sentence(
        "Битрикс24 отозвал доступ или отказался его продлить.",
        "Откройте приложение в Битрикс24 под администратором или подключите портал ещё раз: звонки ждут и уйдут сами.",
    ),
    # of one delivery
    "left_out": Sentence(
        "Доставлено, но без полей, которые портал не принял: {fields}.",
        "Если поля нужны, исправьте их в Битрикс24 или уберите из сценария.",
    ),
    "text_cut": Sentence(
        "Доставлено, но текст длиннее {most} знаков обрезан.", "Если нужен весь текст, сократите его в сценарии."
    ),
    "leads_are_off": Sentence(
        "Обращение сразу стало сделкой: в этом портале режим CRM без лидов.",
        "Делать ничего не нужно. Чтобы сценарий говорил то же самое, замените в нём incoming на deal.",
    ),
    "deal_refused": Sentence("Битрикс24 не создал сделку."),
    "contact_refused": Sentence("Битрикс24 не создал контакт звонившего."),
    "company_refused": Sentence("Битрикс24 не создал компанию."),
    "note_refused": Sentence("Битрикс24 не принял запись в карточку сделки."),
    "task_refused": Sentence("Битрикс24 не создал дело."),
    "task_not_closed": Sentence("Битрикс24 не закрыл дело."),
    "move_refused": Sentence("Битрикс24 не передвинул сделку на этап из сценария."),
    "stage_gone": Sentence("В воронке нет этапа, который назван в сценарии ({id}).", _AGAIN_RU),
    "pipeline_gone": Sentence("В портале нет воронки, которая названа в сценарии (номер {id}).", _AGAIN_RU),
    "responsible_gone": Sentence(
        "Ответственного, который назван в сценарии (номер {id}), в портале нет, или он уволен.", _AGAIN_RU
    ),
    "required_empty": Sentence(
        "Обязательное поле не заполнено: {words}",
        "Снимите обязательность поля или впишите его в сценарий (fields), затем нажмите «Отправить ещё раз».",
    ),
    "its_words": Sentence(
        "Вот что он ответил: {words}", "Исправьте это в Битрикс24 или в сценарии и нажмите «Отправить ещё раз»."
    ),
    "no_reason": Sentence("Причину он не назвал.", "Проверьте сценарий и нажмите «Отправить ещё раз»."),
    "no_id": Sentence("В сценарии для «{what}» указано «{id}», а нужен номер из Битрикс24.", _AGAIN_RU),
    "no_deal": Sentence(
        "По сценарию нужна запись или дело, но сделки, к которой их добавить, нет.",
        "Добавьте в этот случай сценария создание сделки, примените его и нажмите «Отправить ещё раз».",
    ),
    "deal_gone": Sentence(
        "Сделка, в которую записан этот звонок, удалена или объединена с другой.",
        "Восстановите её из корзины Битрикс24 и нажмите «Отправить ещё раз». Если она не нужна, отмените отправку.",
    ),
    "open_deal_gone": Sentence(
        "Открытую сделку этого клиента только что удалили или объединили в Битрикс24.",
        "Делать ничего не нужно: хаб поищет клиента ещё раз.",
    ),
    "contact_gone": Sentence(
        "Контакт звонившего только что удалили или объединили в Битрикс24.",
        "Делать ничего не нужно: хаб поищет его снова.",
    ),
    "move_stage_gone": Sentence(
        "Сделка осталась на своём этапе: Битрикс24 не принял этап, указанный в сценарии (move).",
        "Остальное выполнено. Исправьте этап в сценарии.",
    ),
    "same_caller": Sentence("Сначала уходит прошлый звонок этого же человека.", _NOTHING_RU),
    "same_deal": Sentence("Другое обращение той же партии меняет ту же сделку.", _NOTHING_RU),
    "same_company": Sentence("Другое обращение той же партии создаёт ту же компанию.", _NOTHING_RU),
    "answer_lost": Sentence(
        "Ответ Битрикс24 потерялся: неизвестно, принял ли он обращение.",
        "Делать ничего не нужно: хаб сначала проверит, потом повторит.",
    ),
    "unnamed": Sentence(
        "Битрикс24 принял запрос, но не сказал, что создал.", "Делать ничего не нужно: хаб найдёт это сам."
    ),
    "unsettled": Sentence(
        "Битрикс24 отказывался принять обращение вместе с другими.", "Делать ничего не нужно: хаб отправит его снова."
    ),
    "untold": Sentence(
        "Битрикс24 не ответил, знает ли он этого человека.", "Делать ничего не нужно: хаб спросит снова."
    ),
}

_EN = {
    # of calls
    "no_statistics": Sentence(
        "Bitrix24 does not show the statistics of calls to the hub, and by the scenario the portal's own telephony makes the cards of calls.",
        "Give who connected the hub the right to see the statistics of calls: calls wait and leave by themselves.",
    ),
    "no_call_yet": Sentence(
        "The statistics of calls in Bitrix24 do not have this call yet.", "There is nothing to do: the hub looks again."
    ),
    "no_call_there": Sentence(
        "Half an hour after the talk the statistics of calls in Bitrix24 still do not have this call, so there is nowhere to write its source.",
        "See whether the portal's telephony takes calls of this number. If not, take telephony: observe out of the scenario and press “Send again”.",
    ),
    "no_card_yet": Sentence(
        "Bitrix24 has the call, and no card for it yet.", "There is nothing to do: the hub looks again."
    ),
    "no_card_there": Sentence(
        "The telephony of Bitrix24 made neither a lead nor a deal nor a contact for this call.",
        "Make a card for this number and press “Send again”, or have the portal's telephony make them.",
    ),
    "source_not_on_card": Sentence(
        "Bitrix24 did not take the source into the fields of the card: {words}.", "The source is in the comment."
    ),
    "fields_refused": Sentence("Bitrix24 did not take the fields of the deal: {words}."),
    "call_not_on_deal": Sentence(
        "The call is on the contact, and is not shown on the deal: {words}.",
        "The call and its recording are on the contact.",
    ),
    "record_refused": Sentence(
        "Bitrix24 did not take the recording: {words}.", "Its link is in the comment, where the scenario writes it."
    ),
    "no_trace": Sentence(
        "Sales Intelligence of Bitrix24 did not take the visit: {words}.",
        "The source stands on the card and in the comment.",
    ),
    # of the account
    "user_off": Sentence(
        "The user who connected Bitrix24 was dismissed or is deactivated there.",
        "Connect the portal again as an administrator.",
    ),
    "app_gone": Sentence("The application was removed from Bitrix24.", "Install it and connect the portal again."),
    "app_unknown": Sentence(
        "The authorisation server of Bitrix24 does not know this application, or not its secret.",
        "Check client_id and client_secret of the application in the hub's settings.",
    ),
    "no_rights": Sentence(
        "The user who connected Bitrix24 lacks rights in the CRM.",
        "Give him full rights to deals, leads and contacts, or connect the portal again as an administrator.",
    ),
    "no_scope": Sentence(
        "The application in Bitrix24 was not given a right that it needs.",
        "Open the application as an administrator and give it its rights.",
    ),
    "user_kept_out": Sentence(
        "The user who connected Bitrix24 may not use the application any more.",
        "Give him access in the settings of the application, or connect the portal again as an administrator.",
    ),
    "not_confirmed": Sentence(
        "Bitrix24 waits for an administrator to allow the application this request.",
        "Allow it in the notifications of Bitrix24: calls wait and go by themselves.",
    ),
    "no_rest": Sentence(
        "REST is not available in this portal: only commercial plans have it.",
        "Take a plan of Bitrix24 with REST: calls wait and go by themselves.",
    ),
    "portal_gone": Sentence("The portal was deleted.", "Disconnect it in the hub, or connect another."),
    "nobody_here": Sentence(
        "Bitrix24 has no portal under this address any more: it was renamed, or is gone.",
        "The hub asks for the new address by itself. If this has not passed in an hour, connect the portal again.",
    ),
    "too_much_time": Sentence(
        "Bitrix24 finds that the hub's requests took too much of its time, and asks to wait.",
        "There is nothing to do. If it is often, look at the robots that start on new deals.",
    ),
    "overloaded": Sentence(
        "Bitrix24 has blocked the REST of this portal because of overload.",
        "Only the support of Bitrix24 can lift the block: write to it.",
    ),
    "losing": Sentence(
        "Bitrix24's answers are being lost one after another.",
        "There is nothing to do: the hub looks what has arrived and repeats the rest.",
    ),
    "consent_elsewhere": Sentence(
        "The consent came back with a host that is not a Bitrix24 portal.", "Connect the portal again."
    ),
    "other_account": Sentence(
        "The access is to another Bitrix24 portal ({found} instead of {account}).", "Connect the right portal again."
    ),
    "no_renewal": Sentence("This access cannot be renewed: there is no token for that.", "Connect the portal again."),
    "grant_refused": Sentence(
        "Bitrix24 took the access back or refused to renew it.",
        "Open the application in Bitrix24 as an administrator, or connect the portal again: calls wait and go by themselves.",
    ),
    "left_out": Sentence(
        "Delivered without fields that the portal did not accept: {fields}.",
        "If they are needed, correct them in Bitrix24, or take them out of the scenario.",
    ),
    "text_cut": Sentence(
        "Delivered, but a text longer than {most} characters was cut.",
        "If the whole text is needed, shorten it in the scenario.",
    ),
    "leads_are_off": Sentence(
        "The enquiry became a deal at once: this portal has no leads.",
        "There is nothing to do. For the scenario to say the same, have it say deal in place of incoming.",
    ),
    "deal_refused": Sentence("Bitrix24 refused the deal."),
    "contact_refused": Sentence("Bitrix24 refused the caller's contact."),
    "company_refused": Sentence("Bitrix24 refused the company."),
    "note_refused": Sentence("Bitrix24 refused what was to be written on the deal."),
    "task_refused": Sentence("Bitrix24 refused the to-do."),
    "task_not_closed": Sentence("Bitrix24 did not complete the to-do."),
    "move_refused": Sentence("Bitrix24 did not move the deal to the stage of the scenario."),
    "stage_gone": Sentence("The stage that the scenario names ({id}) does not exist in this pipeline.", _AGAIN_EN),
    "pipeline_gone": Sentence("The pipeline that the scenario names (number {id}) does not exist.", _AGAIN_EN),
    "responsible_gone": Sentence(
        "The responsible user whom the scenario names (number {id}) does not exist or was dismissed.", _AGAIN_EN
    ),
    "required_empty": Sentence(
        "A required field is not filled: {words}",
        "Make the field optional, or give it a value in the scenario (fields), then press “Send again”.",
    ),
    "its_words": Sentence(
        "This is what it answered: {words}", "Mend this in Bitrix24 or in the scenario and press “Send again”."
    ),
    "no_reason": Sentence("It did not say why.", "Check the scenario and press “Send again”."),
    "no_id": Sentence("The scenario gives “{id}” for “{what}”, and Bitrix24 wants a number.", _AGAIN_EN),
    "no_deal": Sentence(
        "The scenario writes a note or a task, but there is no deal to write it on.",
        "Have this case of the scenario create a deal, apply it and press “Send again”.",
    ),
    "deal_gone": Sentence(
        "The deal this call was written to has been deleted or merged with another.",
        "Restore it from the trash of Bitrix24 and press “Send again”. If it is not needed, give the delivery up.",
    ),
    "open_deal_gone": Sentence(
        "The open deal of this customer has just been deleted or merged in Bitrix24.",
        "There is nothing to do: the hub looks for the customer once more.",
    ),
    "contact_gone": Sentence(
        "The caller's contact has just been deleted or merged in Bitrix24.",
        "There is nothing to do: the caller is looked for again.",
    ),
    "move_stage_gone": Sentence(
        "The deal stays at its stage: Bitrix24 did not take the stage that the scenario names (move).",
        "Everything else was done. Correct the stage in the scenario.",
    ),
    "same_caller": Sentence("An earlier call of the same person goes first.", _NOTHING_EN),
    "same_deal": Sentence("Another enquiry of the same batch changes the same deal.", _NOTHING_EN),
    "same_company": Sentence("Another enquiry of the same batch makes the same company.", _NOTHING_EN),
    "answer_lost": Sentence(
        "Bitrix24's answer was lost: it is not known whether it took the enquiry.",
        "There is nothing to do: the hub looks first, and then tries again.",
    ),
    "unnamed": Sentence(
        "Bitrix24 took the request without saying what it created.",
        "There is nothing to do: the hub finds it by itself.",
    ),
    "unsettled": Sentence(
        "Bitrix24 kept refusing this enquiry together with others.", "There is nothing to do: the hub sends it again."
    ),
    "untold": Sentence(
        "Bitrix24 did not say whether it knows this person.", "There is nothing to do: the hub asks again."
    ),
}

outcome_words: Mapping[str, Mapping[str, Sentence]] = {"ru": _RU, "en": _EN}
