// Keys of the workbench, dropped files, and statement and evidence lighting up together. Everything else is HTML.
(() => {
  "use strict";
  const by = (id) => document.getElementById(id);
  const typing = (node) => node.closest("input, textarea, select, [contenteditable]");
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
  const wasRead = new Set(); // red flags, by their text
  let last = -1; // number of the row that was last in focus, to come back to

  const move = (step) => {
    const all = rows(), at = all.indexOf(document.activeElement);
    if (all.length) all[at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length].focus();
  };
  const back = () => { const all = rows(); all[Math.min(Math.max(last, 0), all.length - 1)]?.focus({ preventScroll: true }); };
  const light = (nodes) => {
    document.querySelectorAll(".lit").forEach((node) => node.classList.remove("lit"));
    nodes.forEach((node) => node?.classList.add("lit"));
  };

  const does = {
    "/": () => document.querySelector("[data-search]")?.focus(),
    j: () => move(1),
    k: () => move(-1),
    e: () => by("why")?.focus(),
    a: () => pressed("a"),
    x: () => pressed("x"),
    n: () => pressed("n"),
    "?": () => by("keys")?.showModal(),
    Escape: () => back(),
  };

  // Keys act on the row in focus, where it has their buttons; those of a finding come with its card.
  const pressed = (key) => {
    const row = document.activeElement, within = row?.closest("[data-row]:has([data-key])");
    const press = () => (within?.querySelector(`[data-key="${key}"]`) ?? document.querySelector(`[data-key="${key}"]:not([data-row] *)`))?.click();
    if (!row?.dataset?.finding) return press();
    document.body.addEventListener("htmx:afterSettle", press, { once: true });
    row.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target)) { event.target.blur(); event.target.closest("[data-row]")?.focus(); }
    if (event.key === " " && event.target.matches("a[role=button]")) { event.preventDefault(); event.target.click(); }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || by("keys")?.open || !does[event.key]) return;
    event.preventDefault();
    does[event.key]();
  });

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) last = rows().indexOf(row);
  });

  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    if (at("[data-help]")) by("keys").showModal();
    const more = at("[data-show-more]");
    if (more) { document.querySelectorAll("[data-more]").forEach((row) => { row.hidden = false; }); more.remove(); }
    if (at("[data-read]")) { wasRead.add(flagText()); settle(); back(); }
    if (at("[data-shut]")) { by("why").replaceChildren(); back(); }
    const named = at("[data-light]"), row = at("[data-row]");
    if (named) light([by(named.dataset.light)]);
    if (row) light([row.dataset.statement ? by(row.dataset.statement) : row]);
  });

  // Red flags stay in sight until they are read; what else is sticky begins under them.
  const flags = () => document.querySelector(".flags");
  const flagText = () => [...flags().querySelectorAll(".flag")].map((flag) => flag.textContent).join();
  const settle = () => {
    const read = !flags() || wasRead.has(flagText());
    flags()?.classList.toggle("read", read);
    document.documentElement.style.setProperty("--flags", read ? "0px" : `${flags().offsetHeight}px`);
  };
  settle();
  addEventListener("resize", settle);

  // A card that came lights up what it stands for; a consult made anew keeps the place of the reader.
  document.addEventListener("htmx:afterSettle", (event) => {
    const { target } = event.detail;
    if (target.id === "consult") { settle(); back(); }
    const card = target.id === "why" && target.querySelector("[data-lights]");
    if (card) light([...document.querySelectorAll(".lit"), ...card.dataset.lights.split(" ").map(by)]);
  });

  // A question that is on its way makes room for the next one.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.matches?.("form.ask[hx-swap=beforeend]")) event.detail.elt.reset();
  });

  // What went wrong is shown where the page has a place for it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.status < 400) return;
    const place = by("said-wrong");
    if (place) { event.detail.shouldSwap = true; event.detail.target = place; event.detail.swapOverride = "innerHTML"; place.scrollIntoView({ block: "nearest" }); }
  });

  // A file may be dropped anywhere on its field.
  document.addEventListener("dragover", (event) => { if (event.target.closest?.(".drop")) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    const field = event.target.closest?.(".drop")?.querySelector("input[type=file]");
    if (!field) return;
    event.preventDefault();
    field.files = event.dataTransfer.files;
  });
})();
