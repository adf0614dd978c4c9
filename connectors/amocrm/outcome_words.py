"""What became of a delivery, and why an account is left alone, in both languages: code -> what is so, what to do."""

from collections.abc import Mapping

from connectors.telling import Sentence

_NOTHING_RU = "Делать ничего не нужно."
_NOTHING_EN = "There is nothing to do."

_RU = {
    # of the account
    "blocked": Sentence(
        "amoCRM заблокировала запросы этого аккаунта: их было слишком много.",
        "Снять блокировку может только поддержка amoCRM: напишите ей.",
    ),
    "no_rights": Sentence(
        "У пользователя, который подключил amoCRM, не хватает прав.",
        "Верните ему права на сделки, контакты и задачи или подключите аккаунт ещё раз под администратором.",
    ),
    "ip_list": Sentence(
        "В amoCRM включён список разрешённых IP-адресов, и адреса хаба в нём нет.",
        "Добавьте адрес хаба в этот список в настройках безопасности amoCRM.",
    ),
    "user_off": Sentence(
        "Пользователь, который подключил amoCRM, в ней отключён.",
        "Подключите аккаунт ещё раз под администратором.",
    ),
    "nobody_here": Sentence(
        "По прежнему адресу аккаунта amoCRM больше нет: его переименовали или удалили.",
        "Хаб узнаёт новый адрес сам. Если за час это не прошло, подключите аккаунт ещё раз.",
    ),
    "other_account": Sentence(
        "Доступ дан к другому аккаунту amoCRM ({found} вместо {account}).", "Подключите нужный аккаунт ещё раз."
    ),
    "losing": Sentence(
        "Ответы amoCRM теряются один за другим.",
        "Делать ничего не нужно: хаб проверит, что дошло, и повторит остальное.",
    ),
    "consent_elsewhere": Sentence(
        "Согласие вернулось с адреса, который не похож на аккаунт amoCRM.", "Подключите аккаунт ещё раз."
    ),
    "no_renewal": Sentence("Доступ нельзя продлить: для этого нет токена.", "Подключите аккаунт ещё раз."),
    "grant_refused": Sentence(
        "amoCRM отозвала доступ или отказалась его продлить.", "Подключите аккаунт ещё раз: звонки ждут и уйдут сами."
    ),
    # of one delivery
    "left_out": Sentence(
        "Доставлено, но без полей, которых в аккаунте больше нет или которые он не принял: {fields}.",
        "Если поля нужны, верните их в amoCRM или уберите из сценария.",
    ),
    "text_cut": Sentence(
        "Доставлено, но текст длиннее {most} знаков обрезан: больше в примечание amoCRM не помещается.",
        "Если нужен весь текст, сократите его в сценарии.",
    ),
    "deal_refused": Sentence("amoCRM не создала сделку."),
    "note_refused": Sentence("amoCRM не приняла примечание к сделке."),
    "change_refused": Sentence("amoCRM не изменила сделку так, как просит сценарий."),
    "task_refused": Sentence("amoCRM не создала задачу."),
    "task_not_closed": Sentence("amoCRM не закрыла задачу."),
    "stage_gone": Sentence(
        "В воронке нет этапа, который назван в сценарии (номер {id}): его удалили или перенесли.",
        "Назовите в сценарии другой этап, примените его (cthub apply) и нажмите «Отправить ещё раз».",
    ),
    "pipeline_gone": Sentence(
        "В аккаунте нет воронки, которая названа в сценарии (номер {id}): её удалили.",
        "Назовите в сценарии другую воронку, примените его (cthub apply) и нажмите «Отправить ещё раз».",
    ),
    "responsible_gone": Sentence(
        "Ответственного, который назван в сценарии (номер {id}), в аккаунте нет, или он отключён.",
        "Назовите в сценарии другого, примените его (cthub apply) или включите этого в amoCRM — и нажмите «Отправить ещё раз».",
    ),
    "card_gone": Sentence(
        "Сделки больше нет: её удалили или объединили с другой.",
        "Восстановите сделку из корзины amoCRM и нажмите «Отправить ещё раз». Если она не нужна, отмените отправку.",
    ),
    "value_refused": Sentence(
        "Причина в полях: какое-то из них обязательно и не заполнено, или его значение не подошло.",
        "Снимите обязательность поля или впишите его в сценарий (fields), затем нажмите «Отправить ещё раз».",
    ),
    "tag_refused": Sentence(
        "Тег из сценария не подошёл.", "Исправьте теги в сценарии, примените его и нажмите «Отправить ещё раз»."
    ),
    "contact_refused": Sentence(
        "Причина в контакте звонившего: его удалили, или какое-то поле контакта обязательно.",
        "Проверьте контакт и обязательные поля контактов, затем нажмите «Отправить ещё раз».",
    ),
    "its_words": Sentence(
        "Вот что она ответила: {words}", "Исправьте это в amoCRM или в сценарии и нажмите «Отправить ещё раз»."
    ),
    "no_reason": Sentence("Причину она не назвала.", "Проверьте сценарий и нажмите «Отправить ещё раз»."),
    "no_id": Sentence(
        "В сценарии для «{what}» указано «{id}», а нужен номер из amoCRM.",
        "Исправьте сценарий, примените его и нажмите «Отправить ещё раз».",
    ),
    "no_deal": Sentence(
        "По сценарию нужно примечание или задача, но сделки, к которой их добавить, нет.",
        "Добавьте в этот случай сценария создание сделки, примените его и нажмите «Отправить ещё раз».",
    ),
    "deal_gone": Sentence(
        "Сделка, в которую записан этот звонок, удалена или объединена с другой.",
        "Восстановите её из корзины amoCRM и нажмите «Отправить ещё раз». Если она не нужна, отмените отправку.",
    ),
    "contact_gone": Sentence(
        "Контакт звонившего только что удалили или объединили в amoCRM.",
        "Делать ничего не нужно: хаб поищет его снова.",
    ),
    "same_caller": Sentence("Сначала уходит прошлый звонок этого же человека.", _NOTHING_RU),
    "move_stage_gone": Sentence(
        "Сделка осталась на своём этапе: этапа или воронки, указанных в сценарии (move), в amoCRM больше нет.",
        "Остальное выполнено. Исправьте этап в сценарии.",
    ),
    "unsorted_is_off": Sentence(
        "Обращение сразу стало сделкой в воронке: «Неразобранное» в amoCRM выключено.",
        "Включите его в настройках воронки или замените в сценарии incoming на deal.",
    ),
    "deal_merged": Sentence(
        "Новой сделки нет: контроль дублей amoCRM добавил обращение в открытую сделку этого клиента.",
        "Сделано то, что сценарий велит для открытой сделки.",
    ),
    "open_deal_gone": Sentence(
        "Открытую сделку этого клиента только что удалили или объединили в amoCRM.",
        "Делать ничего не нужно: хаб поищет клиента ещё раз.",
    ),
    "same_deal": Sentence(
        "Другое обращение той же партии передвигает ту же сделку.",
        "Делать ничего не нужно: это пойдёт следом.",
    ),
    "same_company": Sentence(
        "Другое обращение той же партии создаёт ту же компанию.",
        "Делать ничего не нужно: это пойдёт следом.",
    ),
    "company_not_linked": Sentence(
        "Контакт не удалось связать с компанией сделки: amoCRM отказала.",
        "Сделка связана с обоими. Если нужно, свяжите их в карточке компании.",
    ),
    "answer_lost": Sentence(
        "Ответ amoCRM потерялся: неизвестно, приняла ли она обращение.",
        "Делать ничего не нужно: хаб сначала проверит, потом повторит.",
    ),
    "unnamed": Sentence(
        "amoCRM приняла запрос, но не сказала, что создала.", "Делать ничего не нужно: хаб найдёт это сам."
    ),
    "unsettled": Sentence(
        "amoCRM отказывалась принять обращение вместе с другими.", "Делать ничего не нужно: хаб отправит его снова."
    ),
}

_EN = {
    "blocked": Sentence(
        "amoCRM has blocked this account's requests: there were too many.",
        "Only amoCRM's support can lift the block: write to it.",
    ),
    "no_rights": Sentence(
        "The user who connected amoCRM lacks rights.",
        "Give him back the rights to deals, contacts and tasks, or connect the account again as an administrator.",
    ),
    "ip_list": Sentence(
        "amoCRM lets in only listed IP addresses, and the hub's is not among them.",
        "Add the hub's address to that list in amoCRM's security settings.",
    ),
    "user_off": Sentence(
        "The user who connected amoCRM is deactivated there.",
        "Connect the account again as an administrator.",
    ),
    "nobody_here": Sentence(
        "amoCRM has no account under this address any more: it was renamed, or is gone.",
        "The hub asks for the new address by itself. If this has not passed in an hour, connect the account again.",
    ),
    "other_account": Sentence(
        "The access is to another amoCRM account ({found} instead of {account}).", "Connect the right account again."
    ),
    "losing": Sentence(
        "amoCRM's answers are being lost one after another.",
        "There is nothing to do: the hub looks what has arrived and repeats the rest.",
    ),
    "consent_elsewhere": Sentence(
        "The consent came back with a host that is not an amoCRM account.", "Connect the account again."
    ),
    "no_renewal": Sentence("This access cannot be renewed: there is no token for that.", "Connect the account again."),
    "grant_refused": Sentence(
        "amoCRM took the access back or refused to renew it.",
        "Connect the account again: calls wait and go by themselves.",
    ),
    "left_out": Sentence(
        "Delivered without fields that the account no longer has or did not accept: {fields}.",
        "If they are needed, bring them back in amoCRM, or take them out of the scenario.",
    ),
    "text_cut": Sentence(
        "Delivered, but a text longer than {most} characters was cut: a note of amoCRM holds no more.",
        "If the whole text is needed, shorten it in the scenario.",
    ),
    "deal_refused": Sentence("amoCRM refused the deal."),
    "note_refused": Sentence("amoCRM refused the note on the deal."),
    "change_refused": Sentence("amoCRM did not change the deal as the scenario asks."),
    "task_refused": Sentence("amoCRM refused the task."),
    "task_not_closed": Sentence("amoCRM did not complete the task."),
    "stage_gone": Sentence(
        "The stage that the scenario names (number {id}) does not exist in this pipeline: it was deleted or moved.",
        "Name another stage in the scenario, apply it (cthub apply) and press “Send again”.",
    ),
    "pipeline_gone": Sentence(
        "The pipeline that the scenario names (number {id}) does not exist: it was deleted.",
        "Name another pipeline in the scenario, apply it (cthub apply) and press “Send again”.",
    ),
    "responsible_gone": Sentence(
        "The responsible user whom the scenario names (number {id}) does not exist or is not active.",
        "Name another one in the scenario and apply it (cthub apply), or activate this one in amoCRM, and press “Send again”.",
    ),
    "card_gone": Sentence(
        "The deal does not exist any more: it was deleted or merged with another.",
        "Restore the deal from amoCRM's trash and press “Send again”. If it is not needed, give the delivery up.",
    ),
    "value_refused": Sentence(
        "The fields are the reason: one is required and not filled, or a value does not fit.",
        "Make the field optional, or give it a value in the scenario (fields), then press “Send again”.",
    ),
    "tag_refused": Sentence(
        "A tag of the scenario does not fit.", "Correct the tags in the scenario, apply it and press “Send again”."
    ),
    "contact_refused": Sentence(
        "The caller's contact is the reason: it was deleted, or a field of contacts is required.",
        "Look at the contact and the required fields of contacts, then press “Send again”.",
    ),
    "its_words": Sentence(
        "This is what it answered: {words}", "Mend this in amoCRM or in the scenario and press “Send again”."
    ),
    "no_reason": Sentence("It did not say why.", "Check the scenario and press “Send again”."),
    "no_id": Sentence(
        "The scenario gives “{id}” for “{what}”, which is not an amoCRM id: a number is needed.",
        "Correct the scenario, apply it and press “Send again”.",
    ),
    "no_deal": Sentence(
        "The scenario writes a note or a task, but there is no deal to write it on.",
        "Have this case of the scenario create a deal, apply it and press “Send again”.",
    ),
    "deal_gone": Sentence(
        "The deal this call was written to has been deleted or merged with another.",
        "Restore it from amoCRM's trash and press “Send again”. If it is not needed, give the delivery up.",
    ),
    "contact_gone": Sentence(
        "The caller's contact has just been deleted or merged in amoCRM.",
        "There is nothing to do: the caller is looked for again.",
    ),
    "same_caller": Sentence("An earlier call of the same person goes first.", _NOTHING_EN),
    "move_stage_gone": Sentence(
        "The deal stays at its stage: the stage or pipeline that the scenario names (move) is no longer in amoCRM.",
        "Everything else was done. Correct the stage in the scenario.",
    ),
    "unsorted_is_off": Sentence(
        "The enquiry became a deal of the pipeline at once: incoming leads (unsorted) are switched off in amoCRM.",
        "Switch them on in the settings of the pipeline, or have the scenario say deal in place of incoming.",
    ),
    "deal_merged": Sentence(
        "There is no new deal: amoCRM's duplicate control put the enquiry into an open deal of this customer.",
        "What the scenario says of an open deal was done.",
    ),
    "open_deal_gone": Sentence(
        "The open deal of this customer has just been deleted or merged in amoCRM.",
        "There is nothing to do: the hub looks for the customer once more.",
    ),
    "same_deal": Sentence(
        "Another enquiry of the same batch moves the same deal.",
        "There is nothing to do: this one follows it.",
    ),
    "same_company": Sentence(
        "Another enquiry of the same batch makes the same company.",
        "There is nothing to do: this one follows it.",
    ),
    "company_not_linked": Sentence(
        "The contact could not be linked to the company of the deal: amoCRM refused.",
        "The deal is linked to both. If you need it, link them on the card of the company.",
    ),
    "answer_lost": Sentence(
        "amoCRM's answer was lost: it is not known whether it took the enquiry.",
        "There is nothing to do: the hub looks first, and then tries again.",
    ),
    "unnamed": Sentence(
        "amoCRM took the request without saying what it created.",
        "There is nothing to do: the hub finds it by itself.",
    ),
    "unsettled": Sentence(
        "amoCRM kept refusing this enquiry together with others.",
        "There is nothing to do: the hub sends it again.",
    ),
}

outcome_words: Mapping[str, Mapping[str, Sentence]] = {"ru": _RU, "en": _EN}
