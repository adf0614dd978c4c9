// What our page inside a portal asks of Bitrix24. It reads without it: a portal's script that did not load costs comfort.
'use strict';

var cthubFrame = (function () {
  function withPortal(ask) {
    if (window.BX24) {
      window.BX24.init(ask);
    }
  }

  return {
    finish: function () {
      withPortal(function () {
        window.BX24.installFinish();
      });
    },
    fit: function () {
      withPortal(function () {
        window.BX24.fitWindow();
      });
    },
  };
})();
