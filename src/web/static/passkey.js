
// Passkeys: adding one, and signing in with one. What is offered is hidden where the browser does not know them.
if (window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
  const adding = document.getElementById("add-passkey");
  const signingIn = document.getElementById("passkey-sign-in");

  if (adding) {
    adding.hidden = false;
    document.getElementById("add-passkey-unscripted").hidden = true;
    adding.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = document.getElementById("passkey-name").value;
      const create = ({ publicKey }) =>
        navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
      carry(event.submitter, adding.action, { name }, create, {});
    });
  }

  if (signingIn) {
    signingIn.hidden = false;
    const button = signingIn.querySelector("button");
    button.addEventListener("click", () => {
      const get = ({ publicKey }) =>
        navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
      carry(button, button.dataset.address, {}, get, { next: button.dataset.next });
    });
  }

  // Asks the server, has the person answer, and sends the answer back.
  async function carry(button, address, question, ask, more) {
    if (button.getAttribute("aria-busy")) return;
    button.setAttribute("aria-busy", "true");
    try {
      const { ceremony, ...options } = await send(`${address}/begin`, question);
      const credential = (await ask(options)).toJSON();
      await send(address, { ceremony, credential, ...more });
    } catch (error) {
      button.removeAttribute("aria-busy");
      say(reasons[error.name] ?? error.message, "problem");
    }
  }

  const reasons = {
    AbortError: "That was cancelled.",
    InvalidStateError: "This device has a passkey of yours for this server already.",
    NotAllowedError: "That was cancelled, or took too long, or there is no passkey for this server here.",
    NotSupportedError: "This device can’t keep a passkey. Use another one, or a security key.",
    SecurityError: "Passkeys don’t work at this address. Open the server at its own name.",
    TypeError: "The server can’t be reached. Check the connection and try again.",
  };

  async function send(address, body) {
    const headers = { ...changeHeaders, "HX-Request": "true", "Content-Type": "application/json" };
    const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
    const elsewhere = answer.headers.get("HX-Redirect");
    if (elsewhere) return location.assign(elsewhere), new Promise(() => {});
    if (answer.ok) return answer.json();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    throw new Error(page.querySelector("p")?.textContent.trim() || "The server did not take it. Try again.");
  }
}
