// Starts the panel in a frame of the CRM: asks the hub with the ticket the page came with, and fits the frame.
'use strict';

(function () {
  const given = JSON.parse(document.getElementById('given').textContent);
  const TIMEOUT_MS = 20000;
  const root = document.getElementById('cthub');

  function once() {
    return Array.from(crypto.getRandomValues(new Uint8Array(12)), (one) => one.toString(16).padStart(2, '0')).join('');
  }

  async function ask(method, path, body) {
    const headers = { 'X-Auth-Token': given.ticket, 'X-Once': once() };
    const asked = { method, headers, cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(TIMEOUT_MS) };
    if (body !== null && body !== undefined) {
      headers['Content-Type'] = 'application/json';
      asked.body = JSON.stringify(body);
    }
    const language = encodeURIComponent(document.documentElement.lang);
    const answer = await fetch(`/embed/${given.connector}/${path}?lang=${language}`, asked).catch(() => null);
    const said = answer ? await answer.json().catch(() => null) : null;
    if (!answer || !answer.ok || !said) {
      throw { status: answer ? (answer.ok ? 502 : answer.status) : 0, said };
    }
    return said;
  }

  const panel = cthubPanel({
    words: (section) => given.texts[section] || {},
    hub: location.origin,
    support: `${location.origin}/support`,
    privacy: `${location.origin}/privacy`,
    ask,
    changed: cthubFrame.fit,
  });
  if (given.kind) {
    panel.card(root, given.kind, given.card);
  } else {
    panel.settings(root);
  }
  if (given.is_new) {
    cthubFrame.finish();
  }
})();
