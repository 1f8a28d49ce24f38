
// The grid of a library and of its trash: moving through it, selecting, what is done with the selection, and the
// rest of a long list. The list itself, its checkboxes and its buttons are there without a script.
{
  const boxOf = (tile) => tile?.querySelector("input[type=checkbox]");
  const focusOf = (tile) => tile?.querySelector(".photo-link, [data-focus]");
  const tiles = () => [...document.querySelectorAll("#photos .photo")].filter(focusOf);
  const isOn = (tile) => Boolean(boxOf(tile)?.checked);
  const selected = () => tiles().filter(isOn);
  const tileOf = (node) => node?.closest?.("#photos .photo");
  const form = () => document.getElementById("pictures");
  // Where a range of the selection begins.
  let anchor = null;
  // Tiles that were taken off the page and can come back, by id, as HTML with the tile that came after each.
  const removed = new Map();

  // What a picture looks like from afar, until it is there.
  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";
  const number = (digits) => [...digits].reduce((sum, digit) => sum * 83 + alphabet.indexOf(digit), 0);
  const linear = (value) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const curved = (value) => 255 * (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055);
  const spread = (value, most) => Math.sign(value) * value ** 2 * most;

  function waves(hash) {
    const [across, most] = [(number(hash[0]) % 9) + 1, (number(hash[1]) + 1) / 166];
    const mean = number(hash.slice(2, 6));
    const colours = [[mean >> 16, (mean >> 8) & 255, mean & 255].map(linear)];
    for (let at = 6; at + 1 < hash.length; at += 2) {
      const value = number(hash.slice(at, at + 2));
      colours.push([Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19].map((part) => spread((part - 9) / 9, most)));
    }
    return [across, colours];
  }

  function draw(image) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [24, Math.min(Math.max(Math.round((24 * image.height) / image.width), 6), 96) || 24];
    const { width, height } = canvas;
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(width, height);
    const [across, colours] = waves(image.dataset.hash);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        const sum = [0, 0, 0];
        colours.forEach((colour, index) => {
          const [i, j] = [index % across, Math.floor(index / across)];
          const share = Math.cos((Math.PI * x * i) / width) * Math.cos((Math.PI * y * j) / height);
          for (const part of [0, 1, 2]) sum[part] += colour[part] * share;
        });
        pixels.data.set([...sum.map((value) => curved(Math.max(value, 0))), 255], 4 * (y * width + x));
      }
    }
    context.putImageData(pixels, 0, 0);
    image.before(canvas);
  }

  function paint() {
    for (const image of document.querySelectorAll("#photos img[data-hash]")) {
      const isThere = image.complete && image.naturalWidth > 0;
      if (!isThere && image.previousElementSibling?.tagName !== "CANVAS") draw(image);
    }
  }

  document.addEventListener("load", ({ target }) => {
    if (target.matches?.("img[data-hash]") && target.previousElementSibling?.tagName === "CANVAS") target.previousElementSibling.remove();
  }, true);

  // One stop for the tab key; arrows move on from there.
  function rove(tile) {
    for (const other of tiles()) {
      focusOf(other).tabIndex = other === tile ? 0 : -1;
      if (boxOf(other)) boxOf(other).tabIndex = -1;
    }
  }

  function go(tile) {
    if (!tile) return;
    rove(tile);
    focusOf(tile).focus();
    tile.scrollIntoView({ block: "nearest" });
  }

  function settle() {
    const all = tiles();
    if (all.length) rove(tileOf(document.activeElement) ?? all[0]);
    counted(false);
    paint();
    watch();
  }

  // The nearest tile of the row above or below.
  function across(from, step) {
    const here = from.getBoundingClientRect();
    const places = tiles().map((tile) => [tile, tile.getBoundingClientRect()]);
    const beyond = places.filter(([, place]) => (step > 0 ? place.top > here.top + 4 : place.top < here.top - 4));
    if (!beyond.length) return null;
    const row = step > 0 ? Math.min(...beyond.map(([, place]) => place.top)) : Math.max(...beyond.map(([, place]) => place.top));
    const middle = (place) => (place.left + place.right) / 2;
    const off = ([, place]) => Math.abs(middle(place) - middle(here));
    return beyond.filter(([, place]) => Math.abs(place.top - row) <= 4).sort((one, other) => off(one) - off(other))[0][0];
  }

  function counted(aloud = true) {
    const bar = document.getElementById("selection");
    if (!bar) return;
    const count = selected().length;
    bar.classList.toggle("selection-on", count > 0);
    document.getElementById("photos")?.classList.toggle("selecting", count > 0);
    document.getElementById("selection-count").textContent = `${count} selected`;
    if (aloud) announce(count === 0 ? "Nothing selected" : `${count} selected`);
  }

  function choose(tile, on, through = false) {
    const all = tiles();
    const [here, from] = [all.indexOf(tile), all.indexOf(anchor)];
    const range = through && from >= 0 ? all.slice(Math.min(here, from), Math.max(here, from) + 1) : [tile];
    for (const each of range) if (boxOf(each)) boxOf(each).checked = on;
    if (!through || from < 0) anchor = tile;
    counted();
  }

  function clear() {
    for (const tile of selected()) boxOf(tile).checked = false;
    anchor = null;
    counted();
  }

  document.addEventListener("click", (event) => {
    const tile = tileOf(event.target);
    if (event.target.closest("#selection-clear")) return clear();
    if (!tile || !boxOf(tile)) return;
    if (event.target === boxOf(tile)) return choose(tile, isOn(tile), event.shiftKey);
    const isLink = event.target.closest(".photo-link, [data-focus]");
    const asks = event.shiftKey || selected().length > 0;
    if (!isLink || !asks || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    choose(tile, event.shiftKey || !isOn(tile), event.shiftKey);
  });

  document.addEventListener("focusin", (event) => {
    if (event.target.matches(".photo-link, [data-focus]")) rove(tileOf(event.target));
  });

  const moves = { ArrowLeft: -1, ArrowRight: 1 };

  document.addEventListener("keydown", (event) => {
    if (!document.getElementById("photos") || document.querySelector("dialog[open]")) return;
    const isTyping = event.target.matches("input:not([type=checkbox]), textarea, select");
    const tile = tileOf(event.target);
    if (event.key === "Escape" && selected().length && !event.target.closest(".menu[open]")) {
      if (event.target.closest("#selection")) go(selected()[0]);
      return clear();
    }
    if (isTyping) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a" && form()) {
      event.preventDefault();
      for (const each of tiles()) boxOf(each).checked = true;
      return counted();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Delete" && form()) return discard(tile);
    if (tile) moveFrom(tile, event);
  });

  function moveFrom(tile, event) {
    const all = tiles();
    let to;
    if (event.key in moves) to = all[all.indexOf(tile) + moves[event.key]];
    else if (event.key === "ArrowUp" || event.key === "ArrowDown") to = across(tile, event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Home") to = all[0];
    else if (event.key === "End") to = all.at(-1);
    else if (event.key === " " && boxOf(tile) && event.target !== boxOf(tile)) {
      event.preventDefault();
      return choose(tile, event.shiftKey || !isOn(tile), event.shiftKey);
    } else return;
    event.preventDefault();
    if (to && event.shiftKey && boxOf(to) && event.key !== "Home" && event.key !== "End") {
      if (!anchor) choose(tile, true);
      choose(to, true, true);
    }
    go(to);
  }

  // The delete key means the selection, or what has the focus.
  function discard(tile) {
    if (!selected().length && tile) boxOf(tile).checked = true;
    if (!selected().length) return;
    const value = form().hasAttribute("data-trash") ? "purge" : "trash";
    form().requestSubmit(form().querySelector(`button[value=${value}]`));
  }

  /** Sends a form's fields as a script does; what comes back is shown as a message. */
  async function send(action, fields) {
    const headers = { ...changeHeaders, "HX-Request": "true" };
    try {
      const response = await fetch(action, { method: "POST", headers, body: new URLSearchParams(fields) });
      const elsewhere = response.headers.get("HX-Redirect");
      if (elsewhere) location.assign(elsewhere);
      else document.getElementById("toasts").insertAdjacentHTML("beforeend", await response.text());
      return response.ok;
    } catch {
      say("The server can’t be reached. Check the connection and try again.", "problem");
      return false;
    }
  }

  // Asks in a dialog. Resolves to whether the answer was yes.
  function ask(text) {
    const dialog = document.getElementById("sure");
    document.getElementById("sure-text").textContent = text;
    dialog.returnValue = "";
    dialog.showModal();
    document.getElementById("sure-yes").onclick = () => dialog.close("yes");
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }

  // How many assets one request may name.
  const MOST = 100;
  const leaves = new Set(["trash", "transfer", "restore", "purge"]);

  async function carryOut(button) {
    const chosen = selected();
    if (!chosen.length) return say("Select something first.", "problem");
    if (button.dataset.sure && !(await ask(button.dataset.sure))) return;
    const fields = [...new FormData(form())].filter(([name]) => name !== "id");
    fields.push(["do", button.value], ["sure", "yes"]);
    const action = form().getAttribute("action");
    for (let from = 0; from < chosen.length; from += MOST) {
      const part = chosen.slice(from, from + MOST);
      if (!(await send(action, [...fields, ...part.map((tile) => ["id", tile.dataset.id])]))) return;
      if (leaves.has(button.value)) takeOff(part);
    }
    clear();
    const tags = form().querySelector("input[name=tags]");
    if (tags) tags.value = "";
    await refresh();
  }

  function takeOff(some) {
    const all = tiles();
    const after = all.slice(all.indexOf(some.at(-1)) + 1).find((tile) => !some.includes(tile));
    const had = some.some((tile) => tile.contains(document.activeElement)) || document.activeElement === document.body;
    for (const tile of some.toReversed()) {
      removed.set(tile.dataset.id, [tile.outerHTML, tile.nextElementSibling]);
      tile.remove();
      // What is still on its way has no address any more.
      for (const attribute of ["srcset", "src"]) tile.querySelector("img")?.removeAttribute(attribute);
    }
    if (had) go(after ?? tiles().at(-1));
  }

  function putBack(ids) {
    const photos = document.getElementById("photos");
    for (const id of ids) {
      const [tile, after] = removed.get(id) ?? [];
      if (!tile || !photos) continue;
      if (after?.parentElement === photos) after.insertAdjacentHTML("beforebegin", tile);
      else photos.insertAdjacentHTML("beforeend", tile);
      removed.delete(id);
    }
  }

  document.addEventListener("submit", (event) => {
    const { target, submitter } = event;
    // By selector: a form's own `id` is hidden by its fields of that name.
    if (target.matches("#pictures") && submitter?.name === "do") {
      event.preventDefault();
      carryOut(submitter);
    } else if (target.matches("form[data-undo]")) {
      event.preventDefault();
      undo(target);
    } else if (target.dataset.sure && !target.elements.sure && document.getElementById("sure")) {
      event.preventDefault();
      ask(target.dataset.sure).then((yes) => {
        if (!yes) return;
        target.insertAdjacentHTML("beforeend", '<input type="hidden" name="sure" value="yes">');
        target.requestSubmit();
      });
    }
  }, true);

  async function undo(undone) {
    const fields = [...new FormData(undone), ["do", "restore"]];
    if (!(await send(undone.getAttribute("action"), fields))) return;
    undone.closest(".toast")?.remove();
    putBack(fields.filter(([name]) => name === "id").map(([, id]) => id));
    await refresh();
  }

  async function part(address) {
    const response = await fetch(address, { headers: { "HX-Request": "true" } });
    if (!response.ok) throw new Error(response.statusText);
    return new DOMParser().parseFromString(await response.text(), "text/html");
  }

  // How much there is and under which tags, after a change; the grid stays as it is, unless it is empty.
  async function refresh() {
    if (!tiles().length && document.getElementById("next")) return location.reload();
    if (!tiles().length) return fill();
    const now = await part(location.href).catch(() => null);
    for (const stale of document.querySelectorAll("[data-fresh]")) {
      const fresh = now?.querySelector(`[data-fresh="${stale.dataset.fresh}"]`);
      if (fresh) stale.replaceWith(document.adoptNode(fresh));
    }
    shown();
  }

  // The whole list anew. An answer that another request has overtaken may not know of the latest uploads.
  let fills = 0;
  async function fill() {
    const results = document.getElementById("results");
    if (!results) return location.reload();
    const turn = (fills += 1);
    const now = await part(location.href).catch(() => null);
    if (turn !== fills) return;
    if (now) results.replaceChildren(...now.body.childNodes);
    shown();
  }

  // What came in later gets what the page got when it was opened.
  function shown() {
    if (window.htmx) htmx.process(document.getElementById("results") ?? document.body);
    settle();
  }

  /** Puts new tiles first where the newest come first. */
  window.addEventListener("uploaded", ({ detail }) => {
    const photos = document.getElementById("photos");
    if (!photos) return fill();
    if (!photos.hasAttribute("data-newest-first")) return;
    const fresh = detail.filter((tile) => !photos.querySelector(`[data-id="${tile.dataset.id}"]`));
    photos.prepend(...fresh);
    settle();
  });
  window.addEventListener("uploads-ended", refresh);

  // The rest of a long list comes when its end comes near. The address remembers how far, for the way back.
  const near = new IntersectionObserver(
    (entries) => entries.some((entry) => entry.isIntersecting) && more(),
    { rootMargin: "1200px" },
  );
  let underway = null;

  function watch() {
    near.disconnect();
    const next = document.getElementById("next");
    if (next && document.getElementById("results")) near.observe(next);
  }

  function more() {
    underway ??= append().finally(() => {
      underway = null;
      watch();
    });
    return underway;
  }

  async function append() {
    const next = document.getElementById("next");
    if (!next) return;
    const later = await part(next.href).catch(() => null);
    if (!later || !next.isConnected) return near.disconnect();
    const known = new Set(tiles().map((tile) => tile.dataset.id));
    const fresh = [...later.querySelectorAll(".photo")].filter((tile) => !known.has(tile.dataset.id));
    document.getElementById("photos").append(...fresh);
    const on = later.getElementById("next");
    if (on) next.href = on.getAttribute("href");
    else next.remove();
    rove(tileOf(document.activeElement) ?? tiles()[0]);
    paint();
    const parts = (history.state?.parts ?? 1) + 1;
    history.replaceState({ ...history.state, parts }, "");
  }

  // Back from an asset's page: as far down as before.
  async function comeBack() {
    const parts = history.state?.parts ?? 1;
    const id = history.state?.at;
    history.replaceState({ ...history.state, parts: 1 }, "");
    for (let count = 1; count < parts; count += 1) await more();
    if (id) go(document.querySelector(`#photos [data-id="${CSS.escape(id)}"]`));
  }

  document.addEventListener("click", (event) => {
    const tile = tileOf(event.target);
    if (tile && !event.defaultPrevented) history.replaceState({ ...history.state, at: tile.dataset.id }, "");
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "results") settle();
  });

  // What was just put into the trash is offered back once.
  if (document.getElementById("just-trashed")) {
    const address = new URL(location.href);
    address.searchParams.delete("trashed");
    history.replaceState(history.state, "", address);
  }

  settle();
  if (document.getElementById("results")) comeBack();
}

// Keys that every page of a library has.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const search = document.getElementById("q");
  if (event.key === "Escape" && event.target === search && search.value) {
    event.preventDefault();
    search.value = "";
    search.dispatchEvent(new Event("input", { bubbles: true }));
  }
  if (event.target.matches("input:not([type=checkbox]), textarea, select")) return;
  if (event.key === "/" && search) {
    event.preventDefault();
    search.select();
  }
  if (event.key === "?") document.getElementById("shortcuts")?.showModal();
});
