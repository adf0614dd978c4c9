define(['jquery'], function ($) {
  'use strict';

  // Written by the build.
  var HUB = '{{base_url}}';
  var SUPPORT = '{{support}}';
  var PRIVACY = '{{privacy}}';

  var TIMEOUT_MS = 20000;
  var CARDS = { leads: 'deal', contacts: 'contact' };

  {{panel}}

  // -- amoCRM's side: who asks, in which language, on which of its pages

  return function () {
    var self = this;
    var installed = false;
    var panel = cthubPanel({ words: words, hub: HUB, support: SUPPORT, privacy: PRIVACY, ask: ask });

    function words(section) {
      return self.i18n(section) || {};
    }

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

    function refused(xhr) {
      return { status: (xhr && xhr.status) || 0, said: readable(xhr && (xhr.responseJSON || xhr.responseText)) };
    }

    function ask(method, path, body) {
      var request = { url: address(path), method: method, dataType: 'json', timeout: TIMEOUT_MS };
      if (body !== null) {
        request.contentType = 'application/json';
        request.data = JSON.stringify(body);
      }
      return new Promise(function (resolve, reject) {
        self.$authorizedAjax(request).then(
          function (answer) {
            resolve(readable(answer));
          },
          function (xhr) {
            reject(refused(xhr));
          }
        );
      });
    }

    function stylesheet() {
      return $('<link>').attr({ rel: 'stylesheet', href: self.params.path + '/style.css?v=' + self.get_version() });
    }

    function cardKind() {
      return APP.isCard() ? CARDS[APP.getBaseEntity()] : undefined;
    }

    function showCard() {
      var root = $('#cthub-panel')[0];
      if (root) {
        panel.card(root, cardKind(), Number(APP.data.current_card.id));
      }
    }

    function settingsRoot($body) {
      var $own = $('#' + self.get_settings().widget_code + '_custom_content');
      $('#cthub-settings, #cthub-settings-style').remove();
      ($own.length ? $own : $body).append(
        stylesheet().attr('id', 'cthub-settings-style'),
        $('<div>').attr('id', 'cthub-settings')
      );
    }

    function notInstalled() {
      var texts = words('settings');
      if (installed || self.get_install_status() !== 'install') {
        return null;
      }
      return { what: texts.not_installed, todo: texts.not_installed_todo };
    }

    function showSettings() {
      var root = $('#cthub-settings')[0];
      if (root) {
        panel.settings(root, notInstalled);
      }
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
        panel.leave();
        if (cardKind()) {
          showCard();
        }
        return true;
      },
      bind_actions: function () {
        return true;
      },
      settings: function ($body) {
        settingsRoot($body);
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
        panel.leave();
        return true;
      }
    };

    return this;
  };
});
