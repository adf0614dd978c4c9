define(['jquery'], function ($) {
  'use strict';

  // Written by the build.
  var HUB = '{{base_url}}';
  var SUPPORT = '{{support}}';
  var PRIVACY = '{{privacy}}';

  var TIMEOUT_MS = 20000;
  var CARDS = { leads: 'deal', contacts: 'contact' };

  // -- elements: everything a person sees is set as text, never as markup

  function element(tag, name, text) {
    var $made = $('<' + tag + '>');
    if (name) {
      $made.addClass('cthub-' + name);
    }
    if (text !== undefined && text !== null) {
      $made.text(String(text));
    }
    return $made;
  }

  function isSafe(address) {
    return /^https?:\/\//i.test(String(address || ''));
  }

  function link(name, text, address) {
    if (!isSafe(address)) {
      return element('span', name, text);
    }
    return element('a', name, text).attr({ href: address, target: '_blank', rel: 'noopener noreferrer' });
  }

  function button(name, text, act) {
    return element('button', name, text).attr('type', 'button').on('click', act);
  }

  function host(address) {
    return address.replace(/^https?:\/\//, '');
  }

  return function () {
    var self = this;
    var alive = 0; // grows when the screen changes: an answer to an earlier screen is not shown
    var connecting = false;
    var installed = false;

    function words(section) {
      return self.i18n(section) || {};
    }

    function filled(text, values) {
      return String(text).replace(/\{(\w+)\}/g, function (whole, key) {
        return values[key] === undefined ? whole : values[key];
      });
    }

    // -- the hub

    function address(path) {
      return HUB + '/embed/amocrm/' + path + '?lang=' + encodeURIComponent(words('language').code);
    }

    function readable(answer) {
      if (typeof answer !== 'string') {
        return answer;
      }
      try {
        return JSON.parse(answer);
      } catch (error) {
        return null;
      }
    }

    function failure(xhr) {
      var said = readable(xhr && (xhr.responseJSON || xhr.responseText));
      var texts = words('failure');
      var status = (xhr && xhr.status) || 0;
      var todo = texts['todo_' + status] || (status >= 500 ? texts.todo_500 : texts.todo_other);
      if (status === 0) {
        return { what: filled(texts.away, { hub: host(HUB) }), todo: texts.todo_away };
      }
      if (said && said.error) {
        return { what: said.error, todo: todo };
      }
      return { what: filled(texts.refused, { hub: host(HUB), status: status }), todo: todo };
    }

    // Asks the hub once; nothing is repeated without a person's click.
    function ask(method, path, given, done, failed) {
      var screen = alive;
      var request = { url: address(path), method: method, dataType: 'json', timeout: TIMEOUT_MS };
      if (given !== null) {
        request.contentType = 'application/json';
        request.data = JSON.stringify(given);
      }
      self.$authorizedAjax(request).then(
        function (answer) {
          var read = readable(answer);
          if (screen !== alive) {
            return;
          }
          if (read && typeof read === 'object') {
            done(read);
          } else {
            failed(failure({ status: 502 }));
          }
        },
        function (xhr) {
          if (screen === alive) {
            failed(failure(xhr));
          }
        }
      );
    }

    // -- pieces both screens use

    function loading($root) {
      var $wait = element('div', 'wait').attr('role', 'status');
      $wait.append(element('span', 'spinner').attr('aria-hidden', 'true'), element('span', '', words('common').loading));
      $root.empty().append($wait);
    }

    function message(level, what, todo) {
      var $made = element('div', 'message').addClass('cthub-' + level);
      $made.attr('role', level === 'bad' ? 'alert' : 'status').append(element('p', 'what', what));
      if (todo) {
        $made.append(element('p', 'todo', todo));
      }
      return $made;
    }

    function trouble($root, problem, again) {
      $root.empty().append(
        message('bad', problem.what, problem.todo),
        button('button', words('common').again, again),
        help()
      );
    }

    function help() {
      var texts = words('common');
      return element('p', 'help').append(
        link('link', texts.support, SUPPORT),
        element('span', 'dot', '·').attr('aria-hidden', 'true'),
        link('link', texts.privacy, PRIVACY)
      );
    }

    function stylesheet() {
      return $('<link>').attr({ rel: 'stylesheet', href: self.params.path + '/style.css?v=' + self.get_version() });
    }

    // -- the card: where did this person come from

    function cardKind() {
      return APP.isCard() ? CARDS[APP.getBaseEntity()] : undefined;
    }

    function showCard() {
      var kind = cardKind();
      var $root = $('#cthub-panel');
      var id = Number(APP.data.current_card.id);
      var texts = words('card');
      if (!$root.length) {
        return;
      }
      if (!id) {
        $root.empty().append(message('calm', texts['unsaved_' + kind], texts.unsaved_todo));
        return;
      }
      loading($root);
      ask(
        'GET',
        'cards/' + kind + '/' + id,
        null,
        function (answer) {
          enquiries($root, kind, answer.enquiries || []);
        },
        function (problem) {
          trouble($root, problem, showCard);
        }
      );
    }

    function enquiries($root, kind, found) {
      var texts = words('card');
      $root.empty();
      if (!found.length) {
        $root.append(message('calm', texts['nothing_' + kind], texts.nothing_todo));
        $root.append(button('button', words('common').refresh, showCard));
        return;
      }
      if (found.length > 1) {
        $root.append(element('p', 'count', filled(texts.count, { count: found.length })));
      }
      $.each(found, function (place, enquiry) {
        $root.append(oneEnquiry(enquiry, place === 0));
      });
    }

    function oneEnquiry(enquiry, open) {
      var $made = element('details', 'enquiry').prop('open', open);
      var $head = element('summary', 'head');
      $head.append(element('span', 'when', enquiry.kind_words + ' · ' + enquiry.at_words));
      $head.append(element('span', 'headline', enquiry.headline));
      $made.append($head, confidence(enquiry.confidence), facts(enquiry.source || []));
      if (enquiry.call) {
        $made.append(call(enquiry.call));
      }
      if (enquiry.path && enquiry.path.length) {
        $made.append(path(enquiry.path));
      }
      return $made.append(correction(enquiry, $made));
    }

    function confidence(told) {
      var level = { sure: 'sure', likely: 'likely', unsure: 'unsure' }[told.level] || 'unknown';
      var $made = element('p', 'confidence').addClass('cthub-' + level);
      $made.append(element('span', 'mark').attr('aria-hidden', 'true'), element('span', 'told', told.words));
      if (typeof told.percent === 'number') {
        $made.append(element('span', 'percent', told.percent + ' %'));
      }
      return $made;
    }

    function facts(source) {
      var $made = element('dl', 'facts');
      $.each(source, function (place, fact) {
        var $value = element('dd').append(link('value', fact.value, fact.url));
        $made.append(element('div', 'fact').append(element('dt', '', fact.name), $value));
      });
      return $made;
    }

    function call(told) {
      var texts = words('card');
      var talked = told.talk_words ? filled(texts.answered, { talk: told.talk_words }) : texts.answered_only;
      var said = told.answered ? talked : texts.missed;
      var $made = element('div', 'call');
      $made.append(element('p', told.answered ? 'said' : 'missed', said));
      $made.append(element('p', 'number', filled(texts.number, { number: told.number })));
      if (isSafe(told.recording)) {
        $made.append(player(told.recording));
      }
      return $made;
    }

    function player(recording) {
      var texts = words('card');
      var $made = element('div', 'player');
      var $audio = $('<audio>').attr({ controls: 'controls', preload: 'none', src: recording, 'aria-label': texts.recording });
      $audio.on('error', function () {
        $made.find('.cthub-message').remove();
        $made.append(message('bad', texts.recording_failed, texts.recording_todo));
      });
      return $made.append($audio);
    }

    function path(pages) {
      var $list = element('ol', 'pages');
      $.each(pages, function (place, page) {
        var $page = element('li', 'page').append(element('span', 'time', page.at_words), link('value', page.title, page.url));
        $list.append($page);
      });
      return element('details', 'path').append(
        element('summary', 'path-head', filled(words('card').path, { count: pages.length })),
        $list
      );
    }

    // -- "wrong source?": another candidate or nobody, and back

    function correction(enquiry, $enquiry) {
      var texts = words('card');
      var candidates = enquiry.candidates || [];
      var $made = element('div', 'correction');
      if (enquiry.corrected) {
        $made.append(element('p', 'corrected', texts.corrected));
        $made.append(
          button('button', texts.back, function () {
            correct('DELETE', null, enquiry, $enquiry, $made);
          })
        );
      }
      if (candidates.length) {
        $made.append(choice(enquiry, candidates, $enquiry, $made));
      }
      return $made;
    }

    function choice(enquiry, candidates, $enquiry, $made) {
      var texts = words('card');
      var someone = false;
      var $list = element('div', 'choices').attr({ role: 'group', 'aria-label': texts.who }).hide();
      $list.append(element('p', 'who', texts.who));
      function offer(text, visit, chosen) {
        var $one = button('choice', text, function () {
          correct('POST', { visit: visit }, enquiry, $enquiry, $made);
        });
        $list.append($one.attr('aria-pressed', String(chosen)).prop('disabled', chosen));
      }
      $.each(candidates, function (place, one) {
        someone = someone || one.chosen;
        offer(one.words, one.visit, Boolean(one.chosen));
      });
      offer(texts.nobody, null, Boolean(enquiry.corrected) && !someone);
      var $wrong = button('quiet', texts.wrong, function () {
        $list.toggle();
        $wrong.attr('aria-expanded', String($list.is(':visible')));
      }).attr('aria-expanded', 'false');
      return element('div', 'wrong').append($wrong, $list);
    }

    function correct(method, given, enquiry, $enquiry, $made) {
      var done = method === 'DELETE' ? words('card').taken_back : words('card').saved;
      var $free = $made.find('button:enabled').prop('disabled', true);
      $made.find('.cthub-message').remove();
      $made.attr('aria-busy', 'true');
      ask(
        method,
        'enquiries/' + enquiry.id + '/visit',
        given,
        function (answer) {
          var $new = oneEnquiry(answer, true);
          $enquiry.replaceWith($new);
          $new.find('.cthub-correction').prepend(message('good', done));
        },
        function (problem) {
          $free.prop('disabled', false);
          $made.removeAttr('aria-busy').append(message('bad', problem.what, problem.todo));
        }
      );
    }

    // -- settings: is it connected, what is missing, what to do with enquiries

    function settingsRoot($body) {
      var $own = $('#' + self.get_settings().widget_code + '_custom_content');
      var $root = element('div', 'settings').addClass('cthub').attr('id', 'cthub-settings');
      $('#cthub-settings, #cthub-settings-style').remove();
      ($own.length ? $own : $body).append(stylesheet().attr('id', 'cthub-settings-style'), $root);
      return $root;
    }

    function showSettings() {
      var $root = $('#cthub-settings');
      var texts = words('settings');
      if (!$root.length) {
        return;
      }
      if (!installed && self.get_install_status() === 'install') {
        $root.empty().append(message('calm', texts.not_installed, texts.not_installed_todo), help());
        return;
      }
      loading($root);
      ask('GET', 'state', null, state, function (problem) {
        trouble($root, problem, showSettings);
      });
    }

    function state(told) {
      var $root = $('#cthub-settings').empty();
      var works = told.standing === 'connected';
      connecting = connecting && !works;
      $root.append(standing(told, works));
      if ((told.checks || []).length) {
        $root.append(checks(told.checks));
      }
      if (works && (told.scenarios || []).length) {
        $root.append(scenarios(told.scenarios));
      }
      if (works) {
        $root.append(test());
      }
      $root.append(help());
    }

    function standing(told, works) {
      var texts = words('settings');
      var level = works ? 'good' : { waiting: 'calm', nobody: 'calm' }[told.standing] || 'bad';
      var $made = element('div', 'standing');
      if (told.account && told.account.name) {
        $made.append(element('p', 'account', filled(texts.account, { name: told.account.name })));
      }
      $made.append(message(level, told.sentence, told.to_do));
      if (isSafe(told.connect_url)) {
        $made.append(connect(told));
      }
      return $made;
    }

    function connect(told) {
      var texts = words('settings');
      var text = told.standing === 'reauthorise' ? texts.connect_again : texts.connect;
      var $link = link('button', text, told.connect_url).addClass('cthub-main').on('click', function () {
        connecting = true;
      });
      return element('div', 'row').append($link, button('button', words('common').refresh, showSettings));
    }

    function checks(all) {
      var $list = element('ul', 'checks');
      $.each(all, function (place, one) {
        var $one = element('li', one.ok ? 'ok' : 'lacking');
        var mark = one.ok ? words('settings').check_ok : words('settings').check_lacking;
        $one.append(element('span', 'unseen', mark), element('p', 'what', one.what));
        if (!one.ok && one.to_do) {
          $one.append(element('p', 'todo', one.to_do));
        }
        $list.append($one);
      });
      return element('section', 'part').append(element('h3', 'title', words('settings').checks), $list);
    }

    function scenarios(all) {
      var texts = words('settings');
      var $title = element('h3', 'title', texts.scenario);
      if (all.length === 1) {
        return element('section', 'part').append($title, element('p', 'only', all[0].name));
      }
      var $said = element('div', 'result').attr('aria-live', 'polite');
      var $list = element('div', 'scenarios').attr({ role: 'radiogroup', 'aria-label': texts.scenario });
      $.each(all, function (place, one) {
        var $radio = $('<input>').attr({ type: 'radio', name: 'cthub-scenario', checked: Boolean(one.chosen) });
        $radio.on('change', function () {
          choose(one.id, $list, $said);
        });
        $list.append(element('label', 'scenario').append($radio, element('span', '', one.name)));
      });
      return element('section', 'part').append($title, $list, $said);
    }

    function choose(id, $list, $said) {
      var texts = words('settings');
      $list.find('input').prop('disabled', true);
      $said.empty().text(words('common').loading);
      ask(
        'POST',
        'scenario',
        { id: id },
        function (answer) {
          state(answer);
          $('#cthub-settings .cthub-result').first().append(message('good', texts.scenario_saved));
        },
        function (problem) {
          $list.find('input').prop('disabled', false).each(function () {
            this.checked = this.defaultChecked;
          });
          $said.empty().append(message('bad', problem.what, problem.todo));
        }
      );
    }

    function test() {
      var texts = words('settings');
      var $said = element('div', 'result').attr('aria-live', 'polite');
      var $button = button('button', texts.test, function () {
        $button.prop('disabled', true);
        $said.empty().text(texts.testing);
        function told(level, what, todo) {
          $button.prop('disabled', false);
          $said.empty().append(message(level, what, todo));
        }
        ask(
          'POST',
          'test',
          {},
          function (answer) {
            told(answer.ok ? 'good' : 'bad', answer.sentence);
          },
          function (problem) {
            told('bad', problem.what, problem.todo);
          }
        );
      });
      return element('section', 'part').append(element('h3', 'title', texts.test_title), $button, $said);
    }

    // The person comes back from the window where he connected the account.
    function onReturn() {
      if (connecting && $('#cthub-settings').length) {
        showSettings();
      }
    }

    function leave() {
      alive += 1;
      connecting = false;
      $(window).off('focus.cthub');
    }

    // -- what amoCRM calls

    this.callbacks = {
      render: function () {
        var caption = { class_name: 'cthub-caption' };
        if (cardKind()) {
          self.render_template(
            { caption: caption, body: stylesheet().prop('outerHTML'), render: '<div id="cthub-panel" class="cthub"></div>' },
            {}
          );
        }
        return true;
      },
      init: function () {
        alive += 1;
        if (cardKind()) {
          showCard();
        }
        return true;
      },
      bind_actions: function () {
        return true;
      },
      settings: function ($body) {
        leave();
        settingsRoot($body);
        $(window).on('focus.cthub', onReturn);
        showSettings();
        return true;
      },
      dpSettings: function () {
        return true;
      },
      onInstall: function () {
        installed = true;
        showSettings();
        return true;
      },
      onSave: function () {
        return true;
      },
      destroy: function () {
        leave();
        return true;
      }
    };

    return this;
  };
});
