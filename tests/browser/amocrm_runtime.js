// amoCRM's side of a widget, as sections 8.3 and 8.4 of the sheet describe it: AMD, APP, and the methods of a widget.
(function () {
  const scene = window.scene;
  const modules = { jquery: window.jQuery.noConflict(true) };
  const $ = modules.jquery;
  let Widget;

  window.define = function (needs, make) {
    Widget = make.apply(null, needs.map((name) => modules[name]));
  };

  window.APP = {
    data: { current_card: { id: scene.card } },
    isCard: () => scene.area !== 'settings',
    getBaseEntity: () => scene.entity,
    getWidgetsArea: () => scene.area,
    lang_id: scene.lang,
  };

  function method(make) {
    make.params = { path: '/widgets/cthub' };
    make.i18n = (section) => scene.texts[section];
    make.get_version = () => '1.0.0';
    make.get_settings = () => ({ widget_code: 'cthub', path: '/widgets/cthub' });
    make.get_install_status = () => scene.install;
    make.system = () => ({ area: scene.area, amouser_id: 7, subdomain: 'romashka' });
    make.render_template = function (given) {
      const $widget = $('<div class="card-widgets__widget">');
      $widget.append($('<div class="card-widgets__caption">').addClass(given.caption.class_name).append('<img src="/widgets/cthub/images/logo_min.png" alt="">', scene.texts.widget.name));
      $('#widgets').append($widget.append($('<div class="card-widgets__body">').html(given.body + given.render)));
    };
    // The documentation names url, method and data; whether anything else goes through is not said: `passes` is the switch.
    make.$authorizedAjax = function (given) {
      const sent = scene.passes ? { ...given } : { url: given.url, method: given.method, data: given.data };
      return $.ajax('/token').then((token) => $.ajax({ ...sent, headers: { 'X-Auth-Token': token } }));
    };
  }

  window.card = {
    open() {
      const widget = new Widget();
      method(widget);
      window.card.widget = widget;
      if (widget.callbacks.render() && widget.callbacks.init()) {
        widget.callbacks.bind_actions();
      }
      if (scene.area === 'settings') {
        widget.callbacks.settings($('.widget-settings__fields'), {});
      }
    },
    leave() {
      window.card.widget.callbacks.destroy();
      $('#widgets').empty();
    },
    // Another card in the same page: all callbacks run again on a new widget.
    turn(id) {
      window.card.leave();
      window.APP.data.current_card.id = id;
      window.card.open();
    },
    install() {
      scene.install = 'installed';
      window.card.widget.callbacks.onSave({});
      window.card.widget.callbacks.onInstall();
    },
  };
})();
