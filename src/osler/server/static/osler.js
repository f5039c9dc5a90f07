// Keys of the workbench, dropped files, and statement and evidence lighting up together. Everything else is HTML.
(() => {
  "use strict";
  const typing = (node) => node.closest("input, textarea, select, [contenteditable]");
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);

  const move = (step) => {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    all[at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length].focus();
  };

  const does = {
    "/": () => document.querySelector("[data-search]")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    e: () => document.getElementById("why")?.focus(),
    x: () => pressed("x"),
    n: () => pressed("n"),
    "?": () => document.getElementById("keys")?.showModal(),
  };

  // x and n act on the finding in focus; its buttons come with its card.
  const pressed = (key) => {
    const press = () => document.querySelector(`[data-key="${key}"]`)?.click();
    const row = document.activeElement;
    if (!row?.dataset?.finding) return press();
    document.body.addEventListener("htmx:afterSettle", press, { once: true });
    row.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !does[event.key]) return;
    event.preventDefault();
    does[event.key]();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) document.getElementById("keys").showModal();
    const more = event.target.closest("[data-show-more]");
    if (more) { document.querySelectorAll("[data-more]").forEach((row) => { row.hidden = false; }); more.remove(); }
    const row = event.target.closest("[data-row]");
    if (!row) return;
    document.querySelectorAll(".lit").forEach((node) => node.classList.remove("lit"));
    (row.dataset.statement ? document.getElementById(row.dataset.statement) : row).classList.add("lit");
  });

  // What went wrong is shown where the page has a place for it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.status < 400) return;
    const place = document.getElementById("said-wrong");
    if (place) { event.detail.shouldSwap = true; event.detail.target = place; event.detail.swapOverride = "innerHTML"; place.scrollIntoView({ block: "nearest" }); }
  });
})();
