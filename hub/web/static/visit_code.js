// CallTracking Hub, the visit's code in e-mail addresses and links to messengers: see docs/mail.md
(() => {
  const config = window.__dni_enquiries;
  if (config.coding) return;
  config.coding = true;

  const { mail, messengers } = config;
  const SKIP =
    "script,style,noscript,textarea,select,code,pre,[data-cth-ignore]," +
    '[contenteditable]:not([contenteditable="false"])';

  let followed; // the visit whose code is looked for
  let code; // none until the hub has given it to this visitor
  let live = {}; // the numbers the page script shows: group -> number
  let address = mail && mail.address; // what the page shows

  const attempt = (work) => {
    try {
      return work();
    } catch (error) {
      console.warn("visit code:", error);
    }
  };

  // A text may hold a number, too. The page script knows what it has changed by the whole text, so it gets the site's
  // number back, which it changes before anything is drawn; nothing where there is more than one.
  const unswapped = (text) => {
    for (const group in live) {
      const shown = live[group];
      const [{ number }, ...others] = window.__dni.targets.filter((target) => target.group === group);
      let from = 0;
      while (from < shown.length - 7 && number[from] === shown[from]) from++;
      const pattern = new RegExp(`${shown.slice(from).split("").join("\\D{0,20}")}(?!\\d)`, "g");
      if (number === shown || !pattern.test(text)) continue;
      if (others.length || number.length !== shown.length) return;
      text = text.replace(pattern, (all) => {
        let next = from;
        return all.replace(/\d/g, () => number[next++]);
      });
    }
    return text;
  };

  const readdress = (fresh, roots) => {
    const plain = [mail.address, mail.reply].map((one) => one.replace(/\W/g, "\\$&")).join("|");
    const known = plain.replace("\\{code\\}", "[\\da-z]{10,14}"); // with any code, such as that of the visit before
    const pattern = new RegExp(`(^|[^\\w.+-])(?:${known})(?![\\w-]|\\.\\w)`, "gi");
    for (const root of roots) {
      const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
      for (let node = root; node; node = walker.nextNode()) {
        const isText = node.nodeType === 3;
        const place = isText ? node : node.tagName === "A" && node.getAttributeNode("href");
        const text = (place && place.nodeValue) || "";
        if (!text.includes("@") || !(isText || /^mailto:/i.test(text))) continue;
        const now = text.replace(pattern, (_, before) => before + fresh);
        const element = isText ? node.parentElement : node;
        if (now === text || !element || element.closest(SKIP)) continue;
        const written = isText ? unswapped(now) : now;
        if (written) place.nodeValue = written;
      }
    }
    address = fresh;
  };

  const ask = async (visit) => {
    await null; // the page script tells of a visit just before it keeps the visitor
    const visitor = /\b_cth=(\w+)|$/.exec(document.cookie)[1] || attempt(() => localStorage._cth);
    if (!visitor) return;
    const body = JSON.stringify({ site: config.site, visitor, visit });
    const asked = { method: "POST", body, credentials: "omit", signal: AbortSignal.timeout(10000) };
    const answer = await fetch(`${config.base}/dni/v1/code`, asked);
    return answer.ok && (await answer.json()).code;
  };

  const follow = async (visit) => {
    if (followed === visit) return;
    followed = visit;
    const kept = visit && attempt(() => JSON.parse(localStorage._cth_c || "null"));
    let fresh = kept && kept.visit === visit && kept.code;
    if (visit && !fresh) fresh = await ask(visit).catch(() => {});
    if (followed !== visit) return; // it has changed in the meantime
    code = /^[\da-z]{10,14}$/.test(fresh || "") && fresh;
    if (code) attempt(() => (localStorage._cth_c = JSON.stringify({ visit, code })));
    const wanted = mail && (code ? mail.reply.replace("{code}", code) : mail.address);
    if (wanted !== address) attempt(() => readdress(wanted, [document]));
  };

  const coded = (href) => {
    const [, parameter, prefills] = messengers.find(([pattern]) => new RegExp(pattern, "i").test(href)) || [];
    const given = new RegExp(`[?&]${parameter}=[^&#]*`);
    if (!parameter || (!prefills && given.test(href))) return href; // no such link, or the parameter is the site's
    const mark = encodeURIComponent(prefills ? ` (№ ${code})` : code);
    if (given.test(href)) return href.replace(given, (text) => text + mark);
    const language = document.documentElement.lang || navigator.language;
    const hello = prefills ? encodeURIComponent(config.hello[/^ru/i.test(language) ? "ru" : "en"]) : "";
    return href.replace(/#|$/, (end) => `${href.includes("?") ? "&" : "?"}${parameter}=${hello}${mark}${end}`);
  };

  // A link carries the code only while it is followed: the page's own scripts find it as they left it.
  const clicked = (event) => {
    const link = code && event.composedPath()[0].closest("a[href]");
    const was = link && !link.closest("[data-cth-ignore]") && link.getAttribute("href");
    const now = was && coded(was);
    if (now === was) return;
    link.setAttribute("href", now);
    setTimeout(() => link.setAttribute("href", was));
  };

  const changed = (changes) => {
    const nodes = changes.flatMap(({ type, target, addedNodes }) => (type === "childList" ? [...addedNodes] : target));
    if (code) readdress(address, nodes);
  };

  // The page script tells of each page view and of each change of consent.
  const told = (numbers, visit, consent) => {
    live = numbers;
    const full = consent === "full";
    if (consent && !full) attempt(() => delete localStorage._cth_c);
    follow(full && visit);
  };

  if (messengers)
    for (const kind of ["click", "auxclick"])
      addEventListener(kind, (event) => attempt(() => clicked(event)), true);
  if (mail) {
    const watched = { subtree: true, childList: true, characterData: true, attributeFilter: ["href"] };
    new MutationObserver((changes) => attempt(() => changed(changes))).observe(document, watched);
  }
  (window.dni = window.dni || []).push(["on", "number", told]);
})();
