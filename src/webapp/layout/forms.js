// Forms: they are sent once, and ask first where they say so.

import { ask, dialogOf } from "./dialogs.js";

// A form that was sent is not sent twice. When the visitor comes back to its page, it can be sent again.
document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.method !== "post" || form.hasAttribute("hx-post") || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  event.submitter?.setAttribute("aria-busy", "true");
});

addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

// `data-sure` is the question that a form asks before it is sent.
document.addEventListener(
  "submit",
  (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (event.defaultPrevented || !form.dataset.sure || form.elements.namedItem("sure") || !dialogOf("sure")) return;
    event.preventDefault();
    ask(form.dataset.sure).then((yes) => {
      if (!yes) return;
      form.insertAdjacentHTML("beforeend", '<input type="hidden" name="sure" value="yes">');
      form.requestSubmit();
    });
  },
  true,
);
