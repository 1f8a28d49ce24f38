// Whether this browser trusts the server’s certificate, on the list of first steps: it accepts a service worker only from
// a server that it trusts.

const step = document.querySelector("[data-trusted-check]");
if (step) check();

async function check() {
  try {
    const address = new URL(step.dataset.trustedCheck, location.href);
    const worker = await navigator.serviceWorker.register(address, { scope: address.pathname });
    await worker.unregister();
    step.classList.add("step-done");
    step.querySelector("[data-state]").textContent = ": done";
  } catch {
    // It stays to be done.
  }
}
