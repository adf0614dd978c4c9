// BX24.js in little: what an app's page in the portal's iframe may ask (sheet section 7.5).
"use strict";
(() => {
  const [domain, protocol] = window.name.split("|");
  const portal = `${protocol === "1" ? "https" : "http"}://${domain}`;
  const waiting = new Map();
  let last = 0;
  let known = null;

  const ask = (command, told, done) => {
    waiting.set(++last, done || (() => {}));
    parent.postMessage({ id: last, command, told }, portal);
  };
  window.addEventListener("message", (event) => {
    if (event.source !== parent || event.origin !== portal) return;
    const done = waiting.get(event.data.id);
    waiting.delete(event.data.id);
    if (done) done(event.data.answer);
  });

  const ready = new Promise((resolve) => ask("init", {}, (told) => resolve((known = told))));

  const result = (answer, again) => ({
    data: () => answer.result,
    error: () => answer.error && { ex: answer, toString: () => `${answer.error}: ${answer.error_description}` },
    more: () => answer.next !== undefined,
    total: () => answer.total,
    time: () => answer.time,
    next: (done) => again(answer.next, done),
  });
  const callMethod = (method, params, done) => {
    const again = (start, then) => callMethod(method, { ...params, start }, then || done);
    ask("call", { method, params: params || {} }, (answer) => done && done(result(answer, again)));
  };
  const callBatch = (calls, done, halt) => {
    const query = (value, prefix) =>
      Object.entries(value || {}).map(([key, one]) => {
        const name = prefix ? `${prefix}[${key}]` : key;
        return one !== null && typeof one === "object" ? query(one, name) : `${name}=${encodeURIComponent(one)}`;
      }).flat().join("&");
    const parts = (one) => (Array.isArray(one) ? one : [one.method, one.params]);
    const cmd = Object.fromEntries(Object.entries(calls).map(([key, one]) => [key, `${parts(one)[0]}?${query(parts(one)[1], "")}`]));
    ask("call", { method: "batch", params: { cmd, halt: halt ? 1 : 0 } }, (answer) => {
      const { result: good = {}, result_error: bad = {} } = answer.result || {};
      done(Object.fromEntries(Object.keys(calls).map((key) => [key, result(bad[key] || { result: good[key] })])));
    });
  };

  window.BX24 = {
    init: (done) => ready.then(() => done && done()),
    install: (done) => ready.then((told) => told.facts.install && done && done()),
    installFinish: () => ask("installFinish", {}),
    getAuth: () => (known && known.auth) || false,
    refreshAuth: (done) => ask("init", {}, (told) => done((known = told).auth)),
    callMethod,
    callBatch,
    callBind: (event, handler, authType, done) => callMethod("event.bind", { event, handler, auth_type: authType || 0 }, done),
    isAdmin: () => Boolean(known && known.facts.admin),
    getLang: () => (known ? known.facts.lang : "ru"),
    getDomain: () => domain,
    isReady: () => known !== null,
    fitWindow: (done) => ask("resize", { height: document.documentElement.scrollHeight }, done),
    resizeWindow: (width, height, done) => ask("resize", { width, height }, done),
    getScrollSize: () => ({
      scrollWidth: document.documentElement.scrollWidth,
      scrollHeight: document.documentElement.scrollHeight,
    }),
    scrollParentWindow: (top, done) => done && done(),
    placement: {
      info: () => (known ? known.placement : null),
      getInterface: (done) => done({ command: [], event: [] }),
      call: (command, params, done) => done && done(null),
      bindEvent: () => {},
    },
    openApplication: (params, done) => ask("open", { path: "/marketplace/app/" }, done),
    openPath: (path, done) => ask("open", { path }, done),
    closeApplication: () => ask("open", { path: "/" }),
    reloadWindow: (done) => ask("reload", {}, done),
    setTitle: (title, done) => ask("title", { title }, done),
  };
})();
