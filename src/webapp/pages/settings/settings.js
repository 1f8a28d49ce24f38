// What the settings do better with a script. Without it every button sends its form.

// A page that shows a secret leaves the address of its form: reloading leads to the page without it, and coming back
// by the history shows none either.
const secret = document.querySelector("[data-once]");
if (secret) {
  history.replaceState(null, "", secret.dataset.address);
  addEventListener("pagehide", () => secret.remove());
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-all]");
  if (!button) return;
  event.preventDefault();
  for (const radio of button.closest("table").querySelectorAll(`input[value="${button.dataset.all}"]`)) {
    /** @type {HTMLInputElement} */ (radio).checked = true;
  }
});

// A choice that is saved when it is made; its button is for those without a script.
for (const element of document.querySelectorAll("form[data-saves]")) {
  const form = /** @type {HTMLFormElement} */ (element);
  form.querySelector("[data-unscripted]").hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
}

// Whether this browser trusts the server's certificate by itself.
const check = document.querySelector("[data-trust-check]");
if (check) {
  const [state, again] = [check.querySelector(".trust-state"), check.querySelector("button")];
  /**
   * @param {"" | "success" | "problem"} tone
   * @param {string} text
   */
  const say = (tone, text) => {
    state.dataset.tone = tone;
    state.querySelector("span").textContent = text;
  };
  const run = async () => {
    say("", "Checking whether this browser trusts the certificate…");
    if (!isSecureContext || location.protocol !== "https:")
      return say("problem", "This browser does not see a secure connection.");
    const answer = await fetch("/healthz", { cache: "no-store" }).catch(() => /** @type {Response | null} */ (null));
    if (!answer?.ok) return say("problem", "The server did not answer as it should. Look at its log, and check again.");
    try {
      const address = new URL(check.dataset.trustCheck, location.href);
      const worker = await navigator.serviceWorker.register(address, { scope: address.pathname });
      await worker.unregister();
      say("success", "This browser trusts the server’s certificate.");
    } catch (error) {
      if (/certificate|ssl/i.test(error.message))
        say(
          "problem",
          "This browser does not trust the server’s certificate: it opened the page because somebody went on after its warning.",
        );
      else
        say(
          "",
          "The connection is secure, but this browser does not say whether it trusts the certificate. Look at the lock beside the address.",
        );
    }
  };
  again.addEventListener("click", run);
  run();
}
