// The portal's side of the app's iframes: posts their forms and answers what BX24.js asks by postMessage.
"use strict";
const frames = JSON.parse(document.getElementById("frames").textContent);

function load(frame) {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: frame.url, target: frame.name, hidden: true });
  for (const [name, value] of Object.entries(frame.fields)) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(form);
  form.submit();
  form.remove();
}

async function call(frame, method, params) {
  const body = JSON.stringify({ ...params, auth: frame.fields.AUTH_ID });
  const answer = await fetch(`/rest/${method}.json`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  return answer.json();
}

const commands = {
  init: async (frame) => ({
    facts: frame.facts,
    auth: {
      access_token: frame.fields.AUTH_ID,
      refresh_token: frame.fields.REFRESH_ID,
      domain: new URL(frame.url).searchParams.get("DOMAIN"),
      expires_in: Date.now() + 1000 * Number(frame.fields.AUTH_EXPIRES),
      member_id: frame.fields.member_id,
    },
    placement: { placement: frame.fields.PLACEMENT, options: JSON.parse(frame.fields.PLACEMENT_OPTIONS) },
  }),
  call: (frame, told) => call(frame, told.method, told.params),
  installFinish: async (frame) => {
    if (!frame.facts.install) return null;
    await fetch("/do/finish", { method: "POST" });
    location.href = "/marketplace/app/";
    return null;
  },
  resize: async (frame, told) => {
    const iframe = document.getElementsByName(frame.name)[0];
    if (told.height) iframe.style.height = `${told.height}px`;
    return null;
  },
  open: async (frame, told) => {
    location.href = new URL(told.path, location.href).pathname;
    return null;
  },
  reload: async () => location.reload(),
  title: async (frame, told) => {
    document.title = told.title;
    return null;
  },
};

window.addEventListener("message", async (event) => {
  const frame = frames.find((one) => document.getElementsByName(one.name)[0].contentWindow === event.source);
  const command = frame && event.origin === new URL(frame.url).origin && commands[event.data.command];
  if (!command) return;
  const answer = await command(frame, event.data.told || {});
  event.source.postMessage({ id: event.data.id, answer }, event.origin);
});

for (const frame of frames) {
  const tab = document.getElementsByName(frame.name)[0].closest("details");
  if (tab) tab.addEventListener("toggle", () => load(frame), { once: true });
  else load(frame);
}
