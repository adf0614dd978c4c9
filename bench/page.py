"""``page``: what the page script costs a visitor: its size, and how soon the numbers stand after the hub's answer.

A page of 3,000 nodes with 40 numbers of two groups (in texts, in ``tel:`` links, split over elements) in headless
Chromium, each load in a browser nobody has used yet; the hub answers when the page has been drawn, as it does over any
network longer than loopback. The page itself takes the time: from the answer of ``POST /dni/v1/visit`` having come in
(the network's word or ``fetch``'s, whichever is earlier) to the last swap, and to the end of the script's task, when
the browser may draw. The reference in the same load is a plain walk over the same nodes that writes each text anew.
The best load is the one that nothing else on the machine disturbed. Until the swap nobody asks the page anything: a
question a frame, as drivers of browsers ask to wait for something, would double what is measured. Sizes are gzip,
level 9.
"""

import gzip
import re
from statistics import median, quantiles
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import WHOLE, chromium
from tests.browser.stage import MOBILE_TARGET, PATIENCE_S, SCRIPT, Scene, opened, target

LOADS, WARM_UP, DRAWN = 25, 3, "swapped"
NODES, NUMBERS = 3_000, 40
CITY = "+7 (495) 111-22-33"
SPLIT = "<span>+7</span> <span>(916)</span> <b>111-22-33</b>"
KINDS = (f"<p>Отдел: {CITY}</p>", f'<p><a href="tel:+74951112233">{CITY}</a></p>', f"<p>{SPLIT}</p>", f"<p>{CITY}</p>")

_BEFORE = """
const bench = (window.bench = { arrived: 0, swapped: 0, drawn: 0, places: new Set() });
const inner = window.fetch;
window.fetch = (...given) => inner(...given).then((answer) => {
  if (given[0].endsWith("/visit")) { bench.arrived = performance.now(); bench.asked = answer.url; }
  return answer;
});
const text = Object.getOwnPropertyDescriptor(Node.prototype, "nodeValue");
const set = function (value) { text.set.call(this, value); bench.swapped = performance.now(); };
Object.defineProperty(Node.prototype, "nodeValue", { ...text, set });
new MutationObserver((changes) => {
  if (!bench.arrived) return;
  bench.drawn = performance.now();
  for (const { target } of changes) bench.places.add(target);
  console.log("swapped");
}).observe(document, { subtree: true, characterData: true, attributeFilter: ["href"] });
"""
_REST = "new Promise(done => requestAnimationFrame(() => setTimeout(done, 200)))"
_AFTER = """() => {
  const { arrived, asked, swapped, drawn, places } = window.bench;
  const [told] = performance.getEntriesByName(asked).filter((one) => one.responseEnd <= swapped);
  const walk = (see) => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    let nodes = 0;
    for (let node; (node = walker.nextNode()); nodes++) see(node);
    return nodes;
  };
  const nodes = walk(() => {});
  const began = performance.now();
  walk((node) => { if (node.nodeType === 3) node.data = node.data.replace("444-55-66", "777-88-99"); });
  const walk_ms = performance.now() - began;
  const since = Math.min(arrived, told?.responseEnd ?? arrived);
  return { swap_ms: swapped - since, task_ms: drawn - since, walk_ms, nodes, places: places.size };
}"""


def run() -> dict[str, Any]:
    """Measure the sizes, and the time on a page of 3,000 nodes."""
    scripts = sorted(SCRIPT.parent.glob("*.js"))
    sizes = {f"{path.stem}_gzip_bytes": len(gzip.compress(path.read_bytes(), 9)) for path in scripts}
    with opened() as stage, sync_playwright() as playwright:
        scene = stage.scene()
        scene.targets = [target(), target("mobile", MOBILE_TARGET)]
        scene.settings = {"timeout_ms": PATIENCE_S * 1_000}  # the script waits as long as the page does
        scene.pages["index"] = _body()
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(
            executable_path=chromium(playwright.chromium.executable_path, WHOLE), args=flags
        )
        loads = [_load(browser, scene) for _ in range(WARM_UP + LOADS)][WARM_UP:]
        browser.close()
    return sizes | _figures(loads)


def _body() -> str:
    """Return a page of 3,000 nodes, the numbers spread over it."""
    numbers = [KINDS[place % len(KINDS)] for place in range(NUMBERS)]
    filled = sum(one.count("</") + len(re.findall(">[^<]+", one)) for one in numbers)  # elements and texts
    between, left = divmod(NODES - filled, 2 * NUMBERS)
    plain = "<p>Окна, двери и балконы: срок 14 дней, от 5 900 руб.</p>"
    return "".join(one + plain * between for one in numbers) + plain * (left // 2)


def _load(browser: Browser, scene: Scene) -> dict[str, float]:
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(_BEFORE)
    scene.gate.clear()
    page.goto(scene.url())
    page.evaluate(_REST)
    with page.expect_console_message(lambda told: told.text == DRAWN, timeout=PATIENCE_S * 1_000):
        scene.gate.set()
    page.evaluate(_REST)  # for swaps that come later
    told: dict[str, float] = page.evaluate(_AFTER)
    context.close()
    return told


def _figures(loads: list[dict[str, float]]) -> dict[str, Any]:
    swaps = [one["swap_ms"] for one in loads]
    return {
        "swap_p50_ms": median(swaps),
        "swap_best_ms": min(swaps),
        "swap_p95_ms": quantiles(swaps, n=20, method="inclusive")[-1],
        "task_p50_ms": median(one["task_ms"] for one in loads),
        "walk_p50_ms": median(one["walk_ms"] for one in loads),
        "nodes": int(loads[0]["nodes"]),
        "places": int(min(one["places"] for one in loads)),
    }
