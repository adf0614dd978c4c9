// A bare page that shows the panel, and plays what it asks: a request waits until the test has answered or refused it.
const asked = [];
const told = {};
const waiting = {};

function settle(key) {
  if (key in told && key in waiting) {
    const [way, what] = told[key];
    waiting[key][way](what);
    delete waiting[key];
  }
}

function ask(method, path, body) {
  const key = `${method} ${path}`;
  asked.push([key, body]);
  return new Promise((resolve, reject) => {
    waiting[key] = { resolve, reject };
    settle(key);
  });
}

function answer([key, what, way = "resolve"]) {
  told[key] = [way, what];
  settle(key);
}

const root = document.getElementById("root");
const panel = cthubPanel({
  words: (section) => texts[section],
  hub: "https://hub.example.com",
  support: "https://hub.example.com/support",
  privacy: "https://hub.example.com/privacy",
  ask,
  changed: () => (document.body.dataset.height = root.offsetHeight),
});
