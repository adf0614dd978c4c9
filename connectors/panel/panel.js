// The panel of CallTracking Hub in a CRM: where the person of a card came from, and the settings of the account.
//
// given.words(section)            the texts of a section, as texts/ has them, in the person's language
// given.hub, support, privacy     addresses: of the hub, to name it; of the two pages that help links to
// given.ask(method, path, body)   asks the hub once; body is null where there is none. A promise of the parsed answer,
//                                 rejected with {status, said}: 0 where nobody answered; said is parsed, or null
// given.changed()                 optional: the panel has another height now
//
// card(root, kind, id)            shows a deal or a contact; an id may be any text, none is a card that is not saved
// settings(root, notYet)          shows the settings; notYet is optional and returns {what, todo} to say instead, or null
// leave()                         the screen is gone: what is still asked is not shown, nothing is listened to
function cthubPanel(given) {
  'use strict';

  let alive = 0; // grows when the screen changes: an answer to an earlier screen is not shown
  let connecting = false;
  let onReturn = null;
  let observer = null;

  // -- elements: everything a person sees is set as text, never as markup

  function element(tag, name, text) {
    const made = document.createElement(tag);
    if (name) {
      made.classList.add('cthub-' + name);
    }
    if (text !== undefined && text !== null) {
      made.textContent = String(text);
    }
    return made;
  }

  function withAttributes(made, attributes) {
    for (const name of Object.keys(attributes)) {
      made.setAttribute(name, attributes[name]);
    }
    return made;
  }

  function holding(made, ...inside) {
    made.append(...inside);
    return made;
  }

  function isSafe(address) {
    return /^https?:\/\//i.test(String(address || ''));
  }

  function link(name, text, address) {
    if (!isSafe(address)) {
      return element('span', name, text);
    }
    const made = element('a', name, text);
    return withAttributes(made, { href: address, target: '_blank', rel: 'noopener noreferrer' });
  }

  function button(name, text, act) {
    const made = withAttributes(element('button', name, text), { type: 'button' });
    made.addEventListener('click', act);
    return made;
  }

  function host(address) {
    return address.replace(/^https?:\/\//, '');
  }

  function words(section) {
    return given.words(section) || {};
  }

  function filled(text, values) {
    return String(text).replace(/\{(\w+)\}/g, (whole, key) => (values[key] === undefined ? whole : values[key]));
  }

  // -- the hub

  function failure(problem) {
    const texts = words('failure');
    const status = (problem && problem.status) || 0;
    const said = problem && problem.said;
    const todo = texts['todo_' + status] || (status >= 500 ? texts.todo_500 : texts.todo_other);
    if (status === 0) {
      return { what: filled(texts.away, { hub: host(given.hub) }), todo: texts.todo_away };
    }
    if (said && said.error) {
      return { what: said.error, todo: todo };
    }
    return { what: filled(texts.refused, { hub: host(given.hub), status: status }), todo: todo };
  }

  // Asks the hub once; nothing is repeated without a person's click.
  function ask(method, path, body, done, failed) {
    const screen = alive;
    given.ask(method, path, body).then(
      (answer) => {
        if (screen !== alive) {
          return;
        }
        if (answer && typeof answer === 'object') {
          done(answer);
        } else {
          failed(failure({ status: 502 }));
        }
      },
      (problem) => {
        if (screen === alive) {
          failed(failure(problem));
        }
      }
    );
  }

  // -- pieces both screens use

  function loading(root) {
    const wait = withAttributes(element('div', 'wait'), { role: 'status' });
    const spinner = withAttributes(element('span', 'spinner'), { 'aria-hidden': 'true' });
    root.replaceChildren(holding(wait, spinner, element('span', '', words('common').loading)));
  }

  function message(level, what, todo) {
    const made = withAttributes(element('div', 'message'), { role: level === 'bad' ? 'alert' : 'status' });
    made.classList.add('cthub-' + level);
    made.append(element('p', 'what', what));
    if (todo) {
      made.append(element('p', 'todo', todo));
    }
    return made;
  }

  function trouble(root, problem, again) {
    root.replaceChildren(
      message('bad', problem.what, problem.todo),
      button('button', words('common').again, again),
      help()
    );
  }

  function help() {
    const texts = words('common');
    return holding(
      element('p', 'help'),
      link('link', texts.support, given.support),
      withAttributes(element('span', 'dot', '·'), { 'aria-hidden': 'true' }),
      link('link', texts.privacy, given.privacy)
    );
  }

  // -- the card: where did this person come from

  function card(root, kind, id) {
    leave();
    begin(root, false);
    showCard(root, kind, id);
  }

  function showCard(root, kind, id) {
    const texts = words('card');
    if (!id) {
      root.replaceChildren(message('calm', texts['unsaved_' + kind], texts.unsaved_todo));
      return;
    }
    const again = () => showCard(root, kind, id);
    loading(root);
    ask(
      'GET',
      'cards/' + kind + '/' + encodeURIComponent(id),
      null,
      (answer) => enquiries(root, kind, answer.enquiries || [], again),
      (problem) => trouble(root, problem, again)
    );
  }

  function enquiries(root, kind, found, again) {
    const texts = words('card');
    if (!found.length) {
      root.replaceChildren(
        message('calm', texts['nothing_' + kind], texts.nothing_todo),
        button('button', words('common').refresh, again)
      );
      return;
    }
    const shown = found.map((enquiry, place) => oneEnquiry(enquiry, place === 0));
    if (found.length > 1) {
      shown.unshift(element('p', 'count', filled(texts.count, { count: found.length })));
    }
    root.replaceChildren(...shown);
  }

  function oneEnquiry(enquiry, open) {
    const made = element('details', 'enquiry');
    const head = holding(
      element('summary', 'head'),
      element('span', 'when', enquiry.kind_words + ' · ' + enquiry.at_words),
      element('span', 'headline', enquiry.headline)
    );
    made.open = open;
    made.append(head, confidence(enquiry.confidence), facts(enquiry.source || []));
    if (enquiry.call) {
      made.append(call(enquiry.call));
    }
    if (enquiry.path && enquiry.path.length) {
      made.append(path(enquiry.path));
    }
    made.append(...(enquiry.decided || []).map((words) => element('p', 'decided', words)));
    return holding(made, correction(enquiry, made));
  }

  function confidence(told) {
    const level = ['sure', 'likely', 'unsure'].includes(told.level) ? told.level : 'unknown';
    const mark = withAttributes(element('span', 'mark'), { 'aria-hidden': 'true' });
    const made = holding(element('p', 'confidence'), mark, element('span', 'told', told.words));
    made.classList.add('cthub-' + level);
    if (typeof told.percent === 'number') {
      made.append(element('span', 'percent', told.percent + ' %'));
    }
    return made;
  }

  function facts(source) {
    const told = source.map((fact) => {
      const value = holding(element('dd'), link('value', fact.value, fact.url));
      return holding(element('div', 'fact'), element('dt', '', fact.name), value);
    });
    return holding(element('dl', 'facts'), ...told);
  }

  function call(told) {
    const texts = words('card');
    const talked = told.talk_words ? filled(texts.answered, { talk: told.talk_words }) : texts.answered_only;
    const made = holding(
      element('div', 'call'),
      element('p', told.answered ? 'said' : 'missed', told.answered ? talked : texts.missed),
      element('p', 'number', filled(texts.number, { number: told.number }))
    );
    if (isSafe(told.recording)) {
      made.append(player(told.recording));
    }
    return made;
  }

  function player(recording) {
    const texts = words('card');
    const made = element('div', 'player');
    const audio = withAttributes(element('audio'), { controls: 'controls', preload: 'none', 'aria-label': texts.recording });
    audio.addEventListener('error', () => {
      drop(made, '.cthub-message');
      made.append(message('bad', texts.recording_failed, texts.recording_todo));
    });
    audio.src = recording;
    return holding(made, audio);
  }

  function path(pages) {
    const steps = pages.map((page) =>
      holding(element('li', 'page'), element('span', 'time', page.at_words), link('value', page.title, page.url))
    );
    return holding(
      element('details', 'path'),
      element('summary', 'path-head', filled(words('card').path, { count: pages.length })),
      holding(element('ol', 'pages'), ...steps)
    );
  }

  // -- "wrong source?": another candidate or nobody, and back

  function correction(enquiry, whole) {
    const texts = words('card');
    const candidates = enquiry.candidates || [];
    const made = element('div', 'correction');
    if (enquiry.corrected) {
      const back = button('button', texts.back, () => correct('DELETE', null, enquiry, whole, made));
      made.append(element('p', 'corrected', texts.corrected), back);
    }
    if (candidates.length) {
      made.append(choice(enquiry, candidates, whole, made));
    }
    return made;
  }

  function choice(enquiry, candidates, whole, made) {
    const texts = words('card');
    const someone = candidates.some((one) => one.chosen);
    const list = withAttributes(element('div', 'choices'), { role: 'group', 'aria-label': texts.who });
    function offer(text, visit, chosen) {
      const one = button('choice', text, () => correct('POST', { visit: visit }, enquiry, whole, made));
      one.disabled = chosen;
      return withAttributes(one, { 'aria-pressed': String(chosen) });
    }
    list.append(
      element('p', 'who', texts.who),
      ...candidates.map((one) => offer(one.words, one.visit, Boolean(one.chosen))),
      offer(texts.nobody, null, Boolean(enquiry.corrected) && !someone)
    );
    list.hidden = true;
    const wrong = button('quiet', texts.wrong, () => {
      list.hidden = !list.hidden;
      wrong.setAttribute('aria-expanded', String(!list.hidden));
    });
    wrong.setAttribute('aria-expanded', 'false');
    return holding(element('div', 'wrong'), wrong, list);
  }

  function correct(method, body, enquiry, whole, made) {
    const done = method === 'DELETE' ? words('card').taken_back : words('card').saved;
    const free = [...made.querySelectorAll('button:enabled')];
    const able = (may) => free.forEach((one) => (one.disabled = !may));
    able(false);
    drop(made, '.cthub-message');
    made.setAttribute('aria-busy', 'true');
    ask(
      method,
      'enquiries/' + encodeURIComponent(enquiry.id) + '/visit',
      body,
      (answer) => {
        const corrected = oneEnquiry(answer, true);
        whole.replaceWith(corrected);
        corrected.querySelector('.cthub-correction').prepend(message('good', done));
      },
      (problem) => {
        able(true);
        made.removeAttribute('aria-busy');
        made.append(message('bad', problem.what, problem.todo));
      }
    );
  }

  function drop(made, which) {
    made.querySelectorAll(which).forEach((one) => one.remove());
  }

  // -- settings: is it connected, what is missing, what to do with enquiries

  function settings(root, notYet) {
    leave();
    begin(root, true);
    onReturn = () => {
      // The person comes back from the window where he connected the account.
      if (connecting && root.isConnected) {
        showSettings(root, notYet);
      }
    };
    window.addEventListener('focus', onReturn);
    showSettings(root, notYet);
  }

  function showSettings(root, notYet) {
    const instead = typeof notYet === 'function' ? notYet() : null;
    if (instead) {
      root.replaceChildren(message('calm', instead.what, instead.todo), help());
      return;
    }
    const again = () => showSettings(root, notYet);
    loading(root);
    ask('GET', 'state', null, (told) => state(root, told, again), (problem) => trouble(root, problem, again));
  }

  function state(root, told, again) {
    const works = told.standing === 'connected';
    connecting = connecting && !works;
    root.replaceChildren(standing(told, works, again));
    if ((told.checks || []).length) {
      root.append(checks(told.checks));
    }
    if (works && (told.scenarios || []).length) {
      root.append(scenarios(root, told.scenarios, again));
    }
    if (works) {
      root.append(test());
    }
    root.append(help());
  }

  function standing(told, works, again) {
    const texts = words('settings');
    const level = ['waiting', 'nobody'].includes(told.standing) ? 'calm' : 'bad';
    const made = element('div', 'standing');
    if (told.account && told.account.name) {
      made.append(element('p', 'account', filled(texts.account, { name: told.account.name })));
    }
    made.append(message(works ? 'good' : level, told.sentence, told.to_do));
    if (isSafe(told.connect_url)) {
      made.append(connect(told, again));
    }
    return made;
  }

  function connect(told, again) {
    const texts = words('settings');
    const text = told.standing === 'reauthorise' ? texts.connect_again : texts.connect;
    const made = link('button', text, told.connect_url);
    made.classList.add('cthub-main');
    made.addEventListener('click', () => {
      connecting = true;
    });
    return holding(element('div', 'row'), made, button('button', words('common').refresh, again));
  }

  function checks(all) {
    const texts = words('settings');
    const told = all.map((one) => {
      const mark = element('span', 'unseen', one.ok ? texts.check_ok : texts.check_lacking);
      const made = holding(element('li', one.ok ? 'ok' : 'lacking'), mark, element('p', 'what', one.what));
      if (!one.ok && one.to_do) {
        made.append(element('p', 'todo', one.to_do));
      }
      return made;
    });
    return part(texts.checks, holding(element('ul', 'checks'), ...told));
  }

  function part(title, ...inside) {
    return holding(element('section', 'part'), element('h3', 'title', title), ...inside);
  }

  function scenarios(root, all, again) {
    const texts = words('settings');
    if (all.length === 1) {
      return part(texts.scenario, element('p', 'only', all[0].name));
    }
    const said = withAttributes(element('div', 'result'), { 'aria-live': 'polite' });
    const list = withAttributes(element('div', 'scenarios'), { role: 'radiogroup', 'aria-label': texts.scenario });
    for (const one of all) {
      const radio = withAttributes(element('input'), { type: 'radio', name: 'cthub-scenario' });
      radio.defaultChecked = Boolean(one.chosen);
      radio.addEventListener('change', () => choose(root, one.id, list, said, again));
      list.append(holding(element('label', 'scenario'), radio, element('span', '', one.name)));
    }
    return part(texts.scenario, list, said);
  }

  function choose(root, id, list, said, again) {
    const radios = [...list.querySelectorAll('input')];
    radios.forEach((one) => (one.disabled = true));
    said.textContent = words('common').loading;
    ask(
      'POST',
      'scenario',
      { id: id },
      (answer) => {
        state(root, answer, again);
        const result = root.querySelector('.cthub-result');
        if (result) {
          result.append(message('good', words('settings').scenario_saved));
        }
      },
      (problem) => {
        radios.forEach((one) => {
          one.disabled = false;
          one.checked = one.defaultChecked;
        });
        said.replaceChildren(message('bad', problem.what, problem.todo));
      }
    );
  }

  function test() {
    const texts = words('settings');
    const said = withAttributes(element('div', 'result'), { 'aria-live': 'polite' });
    const start = button('button', texts.test, () => {
      start.disabled = true;
      said.textContent = texts.testing;
      function told(level, what, todo) {
        start.disabled = false;
        said.replaceChildren(message(level, what, todo));
      }
      ask(
        'POST',
        'test',
        {},
        (answer) => told(answer.ok ? 'good' : 'bad', answer.sentence),
        (problem) => told('bad', problem.what, problem.todo)
      );
    });
    return part(texts.test_title, start, said);
  }

  // -- one screen at a time

  function begin(root, isSettings) {
    root.classList.add('cthub');
    root.classList.toggle('cthub-settings', isSettings);
    if (given.changed) {
      let height = null;
      observer = new ResizeObserver(() => {
        if (root.offsetHeight !== height) {
          height = root.offsetHeight;
          given.changed();
        }
      });
      observer.observe(root);
    }
  }

  function leave() {
    alive += 1;
    connecting = false;
    if (onReturn) {
      window.removeEventListener('focus', onReturn);
      onReturn = null;
    }
    if (observer) {
      observer.disconnect();
      observer = null;
    }
  }

  return { card: card, settings: settings, leave: leave };
}
