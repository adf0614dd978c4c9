// CallTracking Hub, the page script: see docs/page-script.md
(() => {
  const config = window.__dni;
  const early = window.dni || [];
  if (!config || early.ready) return;

  const PHONE = /^\+[1-9]\d{6,14}$/;
  const COUNTRY = /^([17]|(2[1-689]|3[578]|42|5[09]|6[7-9]|8[0578]|9[679])\d|\d\d)/;
  const GAP = "[\\s\\u2010-\\u2015\\-.()/]{0,20}";
  const TEL = 'a[href^="tel:" i]';
  const SKIP =
    "head,script,style,noscript,textarea,select,code,pre,[data-dni-ignore]," +
    '[contenteditable]:not([contenteditable="false"]),a[href*="wa.me/"],a[href^="viber:"]';
  const IDS = /^(_ga|_ym_|_fb|_ct_|roistat_visit)/;

  let consent, view, frame, started, announced, settle;
  let lease = { visit: null }; // what the hub gave last
  let live = {}; // what the page shows: group -> number
  let spots = {}; // group -> elements where its number stands
  let revealed = config.mode !== "intent";
  let turns = Promise.resolve();
  let url = location.href;
  let referrer = document.referrer;
  const settled = new Promise((done) => (settle = done));
  const listeners = [];
  const roots = [document.documentElement];
  const changed = new Set();
  const marks = new WeakMap(); // place -> {was: the page's text, now: ours}

  const known = {}; // text -> hits

  const groupsHere = () => Object.keys(spots).filter((group) => spots[group].size);
  function* spotsHere() {
    for (const group in spots) yield* spots[group];
  }

  const attempt = (work) => {
    try {
      return work();
    } catch (error) {
      console.warn("dni:", error);
    }
  };

  const digitsOf = (text) => text.replace(/(%\w\w|\D)+/g, "");

  const dissect = (number) => {
    const digits = digitsOf(number);
    const [country] = digits.match(COUNTRY);
    return { digits, country, trunk: country === "7" ? "8" : "0", national: digits.slice(country.length) };
  };

  const targets = config.targets.map((target) => Object.assign(dissect(target.number), target));

  const find = (text, among, from) => {
    const key = from + text + among.map(({ group }) => group);
    if (known[key]) return known[key];
    const hits = (known[key] = []);
    text = text.replace(/%\w\w/g, "   ");
    for (const target of among) {
      const { country, trunk, national } = target;
      const digits = national.slice(from).split("").join(GAP);
      const pattern = new RegExp(`(^|\\D)(?:(\\+?${country}|${trunk})${GAP})?\\(?${digits}(?!\\d|[-.]\\d)`, "g");
      text.replace(pattern, (all, before, lead = "", at) => {
        const start = at + before.length;
        if (/(\+|\d[-.]|\+\d+[\s(]*)$/.test(text.slice(0, start)) || hits.some((one) => one.start === start)) return;
        hits.push({ start, old: all.slice(before.length), from, target, lead: digitsOf(lead) });
      });
    }
    return hits;
  };

  // By the mask if area codes differ in length.
  const rewrite = ({ old, lead, from, target }) => {
    const { country, national, digits } = dissect(live[target.group]);
    const [{ length }] = old.slice(old.indexOf(lead) + lead.length).match(/\d+/);
    const fits =
      country === target.country &&
      national.length === target.national.length &&
      (target.national.startsWith(national.slice(0, from || length)) ||
        (!from && (length === 3 || length === national.length)));
    const mask = target.mask || (/^[17]/.test(digits) ? "+# (###) ###-##-##" : "+###############");
    const form = fits ? old.replace(/\d/g, "#") : mask;
    const fresh = fits ? lead + national.slice(from) : digits;
    let next = fresh.length - form.split("#").length;
    const text = form.replace(/#/g, () => fresh[++next] || "");
    return text.replace(/^7800/.test(digits) && /^\+7/, "8");
  };

  // Once for each text.
  const fill = (text, hits) => {
    if (hits.live === live) return hits.chars;
    const chars = text.split("");
    for (const hit of hits.filter(({ target }) => live[target.group])) {
      const { start, old } = hit;
      const fresh = rewrite(hit);
      chars.splice(start, old.length, ...(fresh.length === old.length ? fresh : [fresh, ...Array(old.length - 1)]));
    }
    return Object.assign(hits, { live, chars }).chars;
  };

  const original = (place) => {
    const { was, now } = marks.get(place) || place;
    return now === place.nodeValue ? was : place.nodeValue;
  };
  const textOf = (places) => places.map(original).join("");

  function* nodesIn(root) {
    const walker = document.createTreeWalker(root, 5); // elements, texts
    for (let node = root; node; node = walker.nextNode()) yield node;
  }

  // A number may be split over texts.
  function* runsFrom(place, element) {
    yield [place];
    for (let up = element; place.data && up; up = up.parentElement) {
      const run = [];
      for (const node of nodesIn(up))
        if (node.nodeType === 3 && run.push(node) > 13) return;
      if (textOf(run).trim().length > 40) return;
      yield run;
    }
  }

  const search = (place, element) => {
    const own = targets.filter(({ group, selectors }) =>
      attempt(() => element.closest([`.dni-phone,[data-dni=""],[data-dni="${group}"]`].concat(selectors).join()))
    );
    for (const from of own.length ? [0, 3, 4, 5] : [0])
      for (const run of runsFrom(place, element)) {
        const at = textOf(run.slice(0, run.indexOf(place))).length;
        const hits = find(textOf(run), own.length ? own : targets, from);
        const { length } = original(place);
        if (hits.some(({ start, old }) => at < start + old.length && start < at + length)) return { run, hits };
      }
    return { run: [], hits: [] };
  };

  const decide = (place, plan) => {
    const text = digitsOf(original(place));
    const element = place.ownerElement || place.parentElement;
    const near = ({ digits, trunk, national }) =>
      text.includes(national) || `${digits} ${trunk}${national}`.includes(text);
    if (text.length < 3 || !element || !targets.some(near) || element.closest(SKIP)) return;
    const { run, hits } = search(place, element);
    let chars = [...fill(textOf(run), hits)];
    for (const hit of hits) {
      const { group } = hit.target;
      const spot = element.closest(TEL) || element;
      spots[group].add(spot);
      if (!revealed) watcher.observe(spot);
      if (place.ownerElement && live[group]) chars = ["tel:" + live[group]];
    }
    for (const piece of run) plan.set(piece, chars.splice(0, original(piece).length).join(""));
  };

  const render = (scope) => {
    const plan = new Map();
    for (const root of scope)
      for (const node of nodesIn(root)) {
        const place = node.nodeType === 3 ? node : node.matches && node.matches(TEL) && node.getAttributeNode("href");
        if (place && /\d\d/.test(place.nodeValue) && !plan.has(place)) decide(place, plan);
      }
    plan.forEach((now, place) => {
      if (now === place.nodeValue) return;
      marks.set(place, { was: original(place), now });
      place.nodeValue = now;
    });
    for (const root of roots)
      for (const input of root.querySelectorAll("input[name=dni_visit]")) input.value = lease.visit || "";
  };

  const show = (numbers, scope) => {
    live = {};
    for (const { group } of targets) {
      const { number } = (numbers && numbers[group]) || {};
      if (PHONE.test(number)) live[group] = "" + number;
      revealed = revealed || group in live;
      if (scope) spots[group] = new Set();
    }
    render(scope || spotsHere());
    for (const listener of listeners) attempt(() => listener(live, lease.visit, consent));
  };

  const flush = () => {
    const nodes = [...changed].filter((node) => node.isConnected);
    changed.clear();
    frame = 0;
    render(nodes);
    if (revealed && groupsHere().some((group) => !view.asked.includes(group))) request();
  };

  const observer = new MutationObserver((records) => {
    for (const { type, target, addedNodes } of records)
      for (const node of type === "childList" ? addedNodes : [target]) changed.add(node);
    if (changed.size > 999) {
      changed.clear();
      for (const root of roots) changed.add(root);
    }
    if (started && changed.size && !frame) frame = requestAnimationFrame(flush);
  });

  const observe = (root) =>
    observer.observe(root, { subtree: true, childList: true, characterData: true, attributeFilter: ["href"] });

  const cookies = () => document.cookie.split("; ").map((pair) => pair.split("="));
  const cookie = (name) => new Map(cookies()).get(name) || "";

  // The first domain a browser takes is the widest one allowed.
  const setCookie = (name, value) => {
    const labels = location.hostname.split(".");
    const tail = location.protocol === "https:" ? ";secure" : "";
    for (let n = 1; n <= labels.length && cookie(name) !== value; n++) {
      const domain = labels.slice(-n).join(".");
      document.cookie = `${name}=${value};path=/;domain=${domain};samesite=lax;max-age=${value ? 31536000 : 0}${tail}`;
    }
  };

  const save = () =>
    lease.visitor &&
    attempt(() => Object.assign(localStorage, { _cth: lease.visitor, _cth_n: JSON.stringify(lease) }));
  const restore = () =>
    consent === "full" && attempt(() => (lease = JSON.parse(localStorage._cth_n || null) || lease));
  const forget = () => {
    setCookie("_cth", "");
    attempt(() => delete localStorage._cth && delete localStorage._cth_n);
  };

  const post = async (door, fields, parting) => {
    const full = consent === "full";
    const visitor = (full ? cookie("_cth") || attempt(() => localStorage._cth) || lease.visitor : lease.page) || null;
    const body = JSON.stringify(Object.assign({ site: config.site, visitor, visit: lease.visit || null }, fields));
    const address = `${config.base}/dni/v1/${door}`;
    if (parting && full && navigator.sendBeacon(address, body)) return {};
    const credentials = full ? "include" : "omit";
    return fetch(address, { method: "POST", body, credentials, keepalive: true }).catch(() => ({}));
  };

  const report = (fields) => lease.visit && post("event", fields, true);

  // Only campaign tags keep their values.
  const told = (address) =>
    (consent === "full" ? address : address.replace(/([?&#](?!utm_)[^=&#]*=)[^&#]*/g, "$1-")).slice(0, 4000);

  const take = ({ visitor, visit, numbers: given, hold_s, hb }, groups, late) => {
    if (!/^[\w-]{1,64}$/.test(visit || "")) throw Error("no visit");
    const numbers = Object.assign({}, lease.numbers);
    for (const group of groups) numbers[group] = (given || {})[group];
    const hold = hold_s * 1000 || 0;
    const known = consent === "full" && /^[\w-]{16,128}$/.test(visitor);
    lease = { visitor: known && visitor, page: !known && visitor, visit, numbers, hold, until: Date.now() + hold };
    if (late) render([]);
    else show(numbers);
    if (known) setCookie("_cth", visitor);
    save();
    settle();
    setTimeout(selfTest, config.timeout_ms);
    if (announced) return;
    announced = true;
    setInterval(() => document.hidden || beat(), 1000 * (Math.max(hb, 5) || 30));
    (window.dataLayer = window.dataLayer || []).push({ event: "dni_ready", visit, numbers: live });
  };

  const request = () => {
    const groups = groupsHere();
    const wants = revealed && groups.length > 0;
    const here = view;
    const mode = consent;
    const deadline = Date.now() + config.timeout_ms;
    if (wants) here.asked.push(...groups);
    const turn = (done) => {
      const giveUp = () => {
        if (wants) here.late = true;
        settle();
        done();
      };
      if (mode !== consent || mode === "off") return giveUp();
      const timer = setTimeout(giveUp, deadline - Date.now());
      const ids = {};
      for (const [name, value] of cookies()) if (mode === "full" && IDS.test(name)) ids[name] = value;
      const { maxTouchPoints, webdriver = false } = navigator;
      const device = { w: screen.width, h: screen.height, touch: maxTouchPoints > 0, webdriver };
      post("visit", { url: told(url), referrer: told(referrer), groups, lease: wants, consent, ids, device })
        .then((answer) => answer.json())
        .then((answer) => {
          clearTimeout(timer);
          if (mode === consent) take(answer, wants ? groups : [], here.late);
        })
        .then(done, giveUp);
    };
    return (turns = turns.then(() => new Promise(turn)));
  };

  const startView = () => {
    view = { asked: [] };
    restore();
    if (!(Date.now() < lease.until - 30000)) lease.numbers = {};
    show(lease.numbers, roots);
    request();
  };

  const routeChanged = () =>
    setTimeout(() => {
      if (location.href === url) return;
      referrer = url;
      url = location.href;
      startView();
    }, 100);

  const beat = () => {
    const { visit, hold, until } = lease;
    if (!visit) return;
    if (hold && !document.hidden && Date.now() > until) return startView();
    post("hb", {}, document.hidden).then(({ ok }) => {
      if (ok) lease.until = Date.now() + hold;
      save();
    });
  };

  // Intent: the visitor turns to a number or scrolls to a new one.
  const reveal = ({ type }, element) => {
    const group = groupsHere().find((one) => [...spots[one]].some((spot) => spot.contains(element)));
    if (revealed || !group) return;
    revealed = true;
    watcher.disconnect();
    request().then(() => report({ kind: "reveal", group, number: live[group], detail: { by: type } }));
  };

  const seen = new WeakMap(); // element -> whether it was in sight at first
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!seen.has(target)) seen.set(target, isIntersecting);
      else if (isIntersecting && !seen.get(target)) reveal({ type: "scroll" }, target);
    }
  });

  const tested = {}; // paths
  const selfTest = () => {
    if (tested[location.pathname]) return;
    tested[location.pathname] = true;
    const found = {};
    for (const { group } of targets) found[group] = spots[group].size;
    const images = [...document.images].filter(({ alt, title, src }) =>
      targets.some(({ national }) => digitsOf(alt + title + src).includes(national))
    );
    report({ kind: "seen", detail: { found, images: images.length, url: told(location.href) } });
  };

  const listen = () => {
    const on = (name, handler) =>
      addEventListener(name, (event) => attempt(() => handler(event, event.composedPath()[0])), true);
    on("click", (event, element) => {
      const link = element.closest(TEL);
      if (!link) return;
      const href = link.getAttributeNode("href");
      for (const { target } of search(href, link).hits) {
        const number = original(href) === href.value ? target.number : href.value.slice(4);
        report({ kind: "tel_tap", group: target.group, number });
      }
    });
    on("copy", () => {
      const digits = digitsOf("" + getSelection());
      for (const group in live)
        if (digits.includes(dissect(live[group]).national)) report({ kind: "copy", group, number: live[group] });
    });
    on("submit", (event, form) => report({ kind: "form", detail: { form: form.getAttribute("id") } }));
    on("mouseover", reveal);
    on("touchstart", reveal);
    on("focusin", reveal);
    on("visibilitychange", beat);
    on("popstate", routeChanged);
    on("hashchange", routeChanged);
    on("pageshow", ({ persisted }) => persisted && startView());
    // A page in sight waits for its next view.
    on("storage", ({ key }) => {
      if (key !== "_cth_n" || consent !== "full") return;
      lease = { visit: null };
      restore();
      if (document.hidden) show(lease.numbers);
    });
    for (const name of ["pushState", "replaceState"]) {
      const inner = history[name];
      history[name] = function (...given) {
        routeChanged();
        return inner.apply(this, given);
      };
    }
  };

  const setConsent = (wanted) => {
    const before = consent;
    consent = wanted === "full" && navigator.globalPrivacyControl ? "anonymous" : wanted;
    if (optedOut || !["full", "anonymous"].includes(consent)) consent = "off";
    if (consent === before) return;
    if (before === "full") forget();
    if (consent !== "full") lease = { visit: null };
    if (started) startView();
  };

  const commands = {
    consent: setConsent,
    refresh(root) {
      changed.add(root || document);
      if (started) flush();
    },
    roots(root) {
      observe(root);
      roots.push(root);
      commands.refresh(root);
    },
    on(name, listener) {
      listeners.push(listener);
      listener(live, lease.visit, consent);
    },
    getVisit(listener) {
      settled.then(() => listener(lease.visit));
    },
  };
  const push = (...given) => given.forEach(([name, ...rest]) => attempt(() => commands[name](...rest)));

  const [, choice] = /[?&]dni=(on|off)\b/.exec(location.search) || [];
  if (choice) setCookie("dni_optout", choice === "off" ? "1" : "");
  const optedOut = choice === "off" || cookie("dni_optout");
  if (optedOut) forget();
  setConsent(config.consent);
  push(...early);
  window.dni = { push, ready: true };

  const start = () => {
    if (document.prerendering) return document.addEventListener("prerenderingchange", start);
    if (document.readyState === "loading") return document.addEventListener("DOMContentLoaded", start);
    started = true;
    roots.forEach(observe);
    listen();
    startView();
  };
  start();
})();
