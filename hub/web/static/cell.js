// The form of a cell: works without this; here a placeholder is put where the cursor stood, and what does not apply is hidden.
(() => {
  let last = null; // the text that was typed in last, and where
  const isText = (one) => one.matches("form.cell textarea:not(.code), form.cell input[type=text]");
  addEventListener("focusin", ({ target }) => {
    if (isText(target)) last = target;
  });

  const list = document.querySelector(".placeholders");
  for (const code of list ? list.querySelectorAll("code") : []) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.setAttribute("aria-label", `${list.dataset.insert} ${code.textContent}`);
    code.replaceWith(button);
    button.append(code);
    button.addEventListener("click", () => {
      last = last && last.isConnected ? last : [...document.querySelectorAll("form.cell *")].find(isText);
      if (!last) return;
      last.setRangeText(code.textContent, last.selectionStart, last.selectionEnd, "end");
      last.focus();
    });
  }

  const follow = (select, show) => {
    select.addEventListener("change", show);
    show();
  };
  for (const select of document.querySelectorAll("[data-shared]")) {
    const own = document.getElementById(select.dataset.shared).closest(".field").parentElement;
    const shown = document.getElementById(`${select.id}-becomes`);
    const was = select.value;
    follow(select, () => {
      own.hidden = select.value !== "";
      if (shown) shown.hidden = select.value !== was;
    });
  }
  for (const from of document.querySelectorAll("[data-from]")) {
    const select = document.getElementById(from.dataset.from);
    follow(select, () => {
      for (const one of from.querySelectorAll("[data-pipeline]"))
        one.hidden = one.dataset.pipeline !== select.value.split("|")[0];
    });
  }
})();
