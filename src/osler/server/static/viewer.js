// Pictures on a canvas: window, zoom, frames. The pixels come with the page; nothing is fetched.
(() => {
  "use strict";

  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  function view(root) {
    const data = root.dataset, canvas = root.querySelector("canvas"), screen = root.querySelector(".screen");
    const width = +data.width, height = +data.height, colour = data.colour === "1", inverted = data.inverted === "1";
    const held = root.querySelector("[data-pixels]"), bytes = bytesOf(held.value);
    held.remove();
    const pixels = colour ? bytes : new Uint16Array(bytes.buffer);
    const start = { centre: +data.centre, span: +data.span, zoom: 1, frame: 1 }, now = { ...start };
    const pen = canvas.getContext("2d"), image = pen.createImageData(width, height), table = new Uint8ClampedArray(65536);
    const size = width * height;

    function draw() {
      const out = image.data, first = (now.frame - 1) * size;
      if (colour) {
        for (let k = 0, from = first * 3; k < size * 4; k += 4, from += 3) {
          out[k] = pixels[from]; out[k + 1] = pixels[from + 1]; out[k + 2] = pixels[from + 2]; out[k + 3] = 255;
        }
      } else {
        const low = +data.low, scale = +data.scale, span = Math.max(now.span, 1);
        for (let k = 0; k < 65536; k++) {
          const shown = ((k * scale + low - (now.centre - 0.5)) / Math.max(span - 1, 1e-6) + 0.5) * 255;
          table[k] = inverted ? 255 - shown : shown;
        }
        for (let k = 0, at = first; k < size * 4; k += 4, at++) {
          out[k] = out[k + 1] = out[k + 2] = table[pixels[at]]; out[k + 3] = 255;
        }
      }
      pen.putImageData(image, 0, 0);
      canvas.style.width = `${now.zoom * 100}%`;
      for (const input of root.querySelectorAll("[data-set]")) input.value = now[input.dataset.set];
      for (const said of root.querySelectorAll("[data-said]")) said.textContent = Math.round(now[said.dataset.said] * 100) / 100;
      for (const box of root.querySelectorAll("[data-box]")) {
        const [x, y, w, h] = box.dataset.box.split(",").map((part) => part * 100 * now.zoom);
        Object.assign(box.style, { left: `${x}%`, top: `${y * canvas.clientHeight / now.zoom / 100}px`, width: `${w}%`, height: `${h * canvas.clientHeight / now.zoom / 100}px` });
      }
    }

    const limits = {};
    for (const input of root.querySelectorAll("[data-set]")) {
      limits[input.dataset.set] = [+input.min, +input.max];
      input.addEventListener("input", () => { now[input.dataset.set] = +input.value; draw(); });
    }
    const change = (name, by) => {
      if (!limits[name]) return false;
      now[name] = Math.min(limits[name][1], Math.max(limits[name][0], now[name] + by));
      draw();
      return true;
    };
    root.querySelector("[data-reset]").addEventListener("click", () => { Object.assign(now, start); draw(); });
    root.querySelector("[data-window]")?.addEventListener("change", (event) => {
      [now.centre, now.span] = event.target.value.split(",").map(Number);
      draw();
    });
    canvas.addEventListener("keydown", (event) => {
      const step = start.span / 20;
      const keys = {
        ArrowUp: ["centre", step], ArrowDown: ["centre", -step], ArrowRight: ["span", step], ArrowLeft: ["span", -step],
        PageDown: ["frame", 1], PageUp: ["frame", -1], "+": ["zoom", 0.25], "-": ["zoom", -0.25],
      };
      if (keys[event.key] && change(...keys[event.key])) event.preventDefault();
    });
    screen.addEventListener("wheel", (event) => {
      if (event.ctrlKey ? change("zoom", -Math.sign(event.deltaY) * 0.25) : limits.frame && change("frame", Math.sign(event.deltaY))) event.preventDefault();
    }, { passive: false });
    let from = null;
    canvas.addEventListener("pointerdown", (event) => { from = { x: event.clientX, y: event.clientY, ...now }; canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener("pointerup", () => { from = null; });
    canvas.addEventListener("pointermove", (event) => {
      if (!from || colour) return;
      now.span = Math.max(1, from.span + (event.clientX - from.x) * start.span / 300);
      now.centre = from.centre + (event.clientY - from.y) * start.span / 300;
      draw();
    });
    draw();
  }

  const begin = () => document.querySelectorAll("[data-viewer]:not([data-begun])").forEach((root) => { root.dataset.begun = "1"; view(root); });
  document.addEventListener("htmx:afterSettle", begin);
  begin();
})();
