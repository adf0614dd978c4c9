// CallTracking Hub, forms and callback orders: see docs/forms.md
(() => {
  const config = window.__dni_enquiries;
  if (config.on) return;
  config.on = true;

  const { dataset } = document.currentScript;
  const { forms = config.forms, callback = config.callback } = dataset;
  const EMAIL = /^\S+@\S+\.\S+$/;
  const PHONE = /^(\+|[78][\s(-]*[3489]|\()[\d\s().\u2010-\u2015-]+$/;
  // What the words around a field say of it.
  const PASSWORD = /passw|pwd|парол/;
  const SECRET = /\bcc-|card|cvc|cvv|карт[аыеу]/;
  const OF_PHONE = /phone|mobile|telefon|телефон|мобильн|(^|[^a-zа-я])(tel|тел|моб)(?![a-zа-я])/;
  const OF_TEXT = /message|comment|question|сообщ|коммент|вопрос/;
  const OF_NAME = /name|имя|фио|зовут|фамили/;
  const OF_COMPANY = /company|organi|компан|организац/;

  let visit, host, telling;
  let consent = "off"; // until the page script tells
  const tried = {}; // id -> in which page view; "" while on its way
  const seen = new Set(); // what the forms of this page have said

  const attempt = (work) => {
    try {
      return work();
    } catch (error) {
      console.warn("enquiries:", error);
    }
  };

  const full = () => consent === "full";
  const waiting = () =>
    attempt(() => JSON.parse(localStorage._cth_e || "[]").filter(({ at }) => Date.now() - at < 86400000)) || [];
  const wait = (enquiries) => full() && attempt(() => (localStorage._cth_e = JSON.stringify(enquiries.slice(-10))));

  const visitor = () => /\b_cth=(\w+)|$/.exec(document.cookie)[1] || attempt(() => localStorage._cth) || null;

  const enquiryOf = async (kind, fields) => {
    const page = location.origin + location.pathname;
    window.dni.push(["getVisit", (given) => (visit = given)]);
    await null; // the page script tells the visit in between, unless it waits for the hub itself
    return {
      site: config.site,
      visitor: full() ? visitor() : null,
      visit: full() ? visit : null,
      kind,
      id: `${Math.random()}${Math.random()}`,
      ...fields,
      page,
    };
  };

  const send = async (said, door = "enquiry") => {
    const body = JSON.stringify(said);
    const asked = { method: "POST", body, credentials: "omit", keepalive: true, signal: AbortSignal.timeout(10000) };
    return (await fetch(`${config.base}/dni/v1/${door}`, asked).catch(() => ({}))).status;
  };

  // An enquiry waits until the hub has said that it is stored, or never will be.
  const deliver = async (enquiry) => {
    const { id } = enquiry;
    const here = location.href;
    if (tried[id] === "" || tried[id] === here) return;
    tried[id] = "";
    const status = await send(enquiry);
    tried[id] = here;
    if (status < 500 && status !== 408 && status !== 429) wait(waiting().filter(({ said }) => said.id !== id));
  };

  // Who is logged in is told once in a visit.
  const tellUser = async () => {
    await null; // the page script keeps a new visitor first
    const { user } = dataset;
    const known = `${visit} ${user}`;
    if (!user || !visit || !full() || [telling, attempt(() => localStorage._cth_u)].includes(known)) return;
    telling = known;
    const status = await send({ site: config.site, visitor: visitor(), user }, "user");
    telling = "";
    if (status < 300 && full()) attempt(() => (localStorage._cth_u = known));
  };

  const hintOf = ({ type, name, id, placeholder, autocomplete, inputMode, labels }) =>
    [type, name, id, placeholder, autocomplete, inputMode, ...Array.from(labels || [], (one) => one.textContent)]
      .join(" ")
      .replace(/([a-z])([A-Z])/g, "$1 $2")
      .toLowerCase();

  const isPhone = (value, hint) => {
    const { length } = value.replace(/\D/g, "");
    return length < 16 && (OF_PHONE.test(hint) ? length > 6 : length > 9 && PHONE.test(value));
  };

  const ignores = (element) => Element.prototype.closest.call(element, "[data-cth-ignore]");

  const read = (form) => {
    const told = { phone: [], email: [], name: [], company: [], text: [] };
    let locked = false;
    for (const field of document.querySelectorAll("input,textarea")) {
      if (field.form !== form || ignores(field)) continue;
      const hint = hintOf(field);
      const isPassword = PASSWORD.test(hint);
      locked = locked || isPassword;
      if (isPassword || SECRET.test(hint) || !/^(text|tel|email|number|textarea)$/.test(field.type)) continue;
      const value = field.value.trim();
      if (field.type === "textarea") told.text.push(value);
      else if (EMAIL.test(value)) told.email.push(value);
      else if (isPhone(value, hint)) told.phone.push(value);
      else if (OF_TEXT.test(hint)) told.text.push(value);
      else if (OF_COMPANY.test(hint)) told.company.push(value);
      else if (OF_NAME.test(hint)) told.name.push(value);
    }
    const [phone = ""] = told.phone;
    const [email = ""] = told.email;
    const [company = ""] = told.company;
    const name = told.name.join(" ").trim();
    const text = [...told.text.join("\n").trim()].slice(0, 4000).join("");
    // A password beside nothing but an address is a log-in.
    return (phone || email) && (name || text || !locked) && { phone, email, name, company, text };
  };

  const submitted = ({ target }) => {
    const fields = consent !== "off" && !ignores(target) && read(target);
    const said = JSON.stringify(fields);
    if (!fields || seen.has(said)) return;
    seen.add(said);
    enquiryOf("form", fields).then((enquiry) => {
      wait([...waiting(), { at: Date.now(), said: enquiry }]);
      deliver(enquiry);
    });
  };

  const STYLE = `:host { all: initial !important; position: fixed !important; inset: auto 16px 16px auto !important;
  z-index: 2147483000 !important }
* { box-sizing: border-box; font: 16px/1.4 system-ui; color: #1f2328 }
button { padding: 12px 20px; border: 0; border-radius: 8px; background: var(--color, #0b6e4f); color: #fff;
  cursor: pointer }
dialog { width: 360px; max-width: calc(100vw - 16px); margin: auto 8px 8px auto; padding: 24px; border: 0;
  border-radius: 12px; background: #fff }
form { display: grid; gap: 12px }
h2, p { margin: 0 }
p:empty { display: none }
h2 { margin-right: 32px; font-size: 20px }
label, form > a { font-size: 14px }
input { width: 100%; margin-top: 4px; padding: 11px 12px; border: 1px solid #777; border-radius: 8px; background: #fff }
.open { border-radius: 28px; box-shadow: 0 2px 8px #0006 }
.close { position: absolute; top: 16px; right: 16px; padding: 4px 12px; background: none; color: inherit }`;

  const make = (tag, properties, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  // A Russian number as it grows: 8916123 -> +7 916 123.
  const spelt = (typed) => {
    const [, rest] = typed.replace(/[^\d+]/g, "").match(/^(?:\+?7|8|(?=9))(\d{2,10})$/) || [];
    if (!rest) return typed;
    return "+7 " + rest.replace(/^...(?=.)/, "$& ").replace(/ ...(?=.)/, "$&-").replace(/-..(?=.)/, "$&-");
  };

  const widget = (given) => {
    const language = document.documentElement.lang || navigator.language;
    const words = { ...config.words[/^ru/i.test(language) ? "ru" : "en"], ...given };
    const { number, display } = config.phone;
    let order, busy;

    const spell = ({ inputType }) => {
      const grows = /^insert/.test(inputType) && phone.selectionEnd === phone.value.length;
      if (grows && number.startsWith("+7")) phone.value = spelt(phone.value);
    };

    const submit = async (event) => {
      event.preventDefault();
      if (busy) return;
      const fields = { phone: phone.value, email: "", name: name.value, text: "" };
      const isRight = /^\D*(\d\D*){10,15}$/.test(fields.phone);
      phone.ariaInvalid = !isRight;
      state.textContent = words[isRight ? "sending" : "wrong"];
      if (!isRight) return phone.focus();
      busy = true;
      // Told twice, it is one order.
      if (!order || order.phone !== fields.phone) order = await enquiryOf("callback", fields);
      const status = await send(order);
      busy = false;
      if (status < 300) {
        state.textContent = words.thanks;
        form.replaceChildren(title, state);
        return close.focus();
      }
      state.replaceChildren(words.failed, make("a", { href: `tel:${number}` }, display));
      window.dni.push(["refresh", state]); // the number to dial is swapped like any other
    };

    const phone = make("input", { type: "tel", autocomplete: "tel", autofocus: true, oninput: spell });
    const name = make("input", { autocomplete: "name" });
    const state = make("p", { role: "status" });
    const title = make("h2", {}, words.title);
    const agree = make("a", { target: "_blank" }, words.agree);
    if (words.privacy_url) agree.href = words.privacy_url;
    const form = make(
      "form",
      { onsubmit: submit, noValidate: true },
      title,
      make("p", {}, words.text),
      make("label", {}, words.phone, phone),
      make("label", {}, words.name, name),
      state,
      make("button", {}, words.order),
      make("p", {}, words.hours),
      agree
    );
    const close = make("button", { className: "close", ariaLabel: words.close, onclick: () => dialog.close() }, "×");
    const dialog = make("dialog", { ariaLabel: words.title }, form, close);
    const open = make("button", { className: "open", onclick: () => dialog.showModal() }, words.button);
    host = make("cth-callback");
    host.style.setProperty("--color", words.color || "");
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    root.append(open, dialog);
  };

  const show = () => {
    if (!host) widget(typeof callback === "string" ? JSON.parse(callback) : callback);
    if (consent === "off") host.remove();
    else if (!host.isConnected) document.body.append(host);
  };

  // The page script tells of each page view and of each change of consent.
  const told = (_, given, agreed) => {
    const lowered = full() && agreed !== "full";
    if (lowered || /dni_optout=1/.test(document.cookie))
      attempt(() => delete localStorage._cth_e && delete localStorage._cth_u);
    [visit, consent] = [given, agreed];
    if (full()) for (const { said } of waiting()) deliver(said);
    tellUser();
    if (callback && document.body) attempt(show);
  };

  if (forms && forms !== "off") addEventListener("submit", (event) => attempt(() => submitted(event)), true);
  (window.dni = window.dni || []).push(["on", "number", told]);
})();
