
// Uploads: files that are dropped on the page, picked or pasted, some at a time, each with its progress.
const uploadForm = document.getElementById("upload");
if (uploadForm) {
  // How many files are on their way at once.
  const AT_ONCE = 3;
  const picker = document.getElementById("files");
  const panel = document.getElementById("uploads");
  const list = document.getElementById("uploads-list");
  const cover = document.getElementById("drop-page");
  const rowOf = document.getElementById("upload-row").content;
  const jobs = [];
  let running = 0;

  const is = (state) => jobs.filter((job) => job.state === state);
  const size = (bytes) => {
    const units = ["bytes", "KB", "MB", "GB"];
    const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 3);
    return `${(bytes / 1000 ** power).toFixed(power > 1 ? 1 : 0)} ${units[power]}`;
  };

  function add(files) {
    for (const file of files) {
      const row = rowOf.cloneNode(true).firstElementChild;
      const job = { file, row, state: "waiting", sent: 0 };
      row.querySelector("[data-name]").textContent = file.name;
      row.querySelector("[data-size]").textContent = size(file.size);
      row.querySelector("progress").setAttribute("aria-label", `Upload of ${file.name}`);
      row.querySelector("[data-retry]").addEventListener("click", () => retry([job]));
      list.append(row);
      jobs.push(job);
    }
    panel.hidden = false;
    next();
  }

  function retry(some) {
    for (const job of some) set(job, "waiting");
    next();
  }

  function next() {
    for (const job of is("waiting").slice(0, AT_ONCE - running)) start(job);
    tell();
  }

  function start(job) {
    running += 1;
    set(job, "sending");
    const body = new FormData();
    body.append("files", job.file, job.file.name);
    const request = new XMLHttpRequest();
    request.open("POST", uploadForm.action);
    for (const [name, value] of Object.entries({ ...changeHeaders, "HX-Request": "true" })) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => {
      job.sent = event.lengthComputable ? (event.loaded / event.total) * job.file.size : 0;
      job.row.querySelector("progress").value = job.sent / Math.max(job.file.size, 1);
      tell();
    });
    request.addEventListener("load", () => ended(job, request));
    request.addEventListener("error", () => failed(job, "The connection broke off."));
    request.send(body);
  }

  function ended(job, request) {
    const elsewhere = request.getResponseHeader("HX-Redirect");
    if (elsewhere) return location.assign(elsewhere);
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    if (request.status !== 200 || answer.querySelector("[data-refused]")) {
      const reason = answer.querySelector("p")?.textContent.trim();
      return failed(job, reason || "The server did not take it.");
    }
    set(job, "done");
    window.dispatchEvent(new CustomEvent("uploaded", { detail: [...answer.querySelectorAll(".photo")] }));
    over();
  }

  function failed(job, reason) {
    set(job, "refused", reason);
    over();
  }

  function over() {
    running -= 1;
    next();
    if (running > 0) return;
    const [done, refused] = [is("done").length, is("refused").length];
    announce(refused ? `${done} uploaded, ${refused} refused` : `${done} uploaded`);
    window.dispatchEvent(new Event("uploads-ended"));
  }

  const icons = { waiting: "clock", sending: "upload", done: "circle-check", refused: "circle-alert" };

  function set(job, state, reason = "") {
    job.state = state;
    job.sent = state === "done" ? job.file.size : 0;
    const { row } = job;
    row.className = `upload upload-${state}`;
    const use = row.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${icons[state]}`));
    row.querySelector("progress").hidden = state !== "sending" && state !== "waiting";
    row.querySelector("progress").value = 0;
    row.querySelector("[data-retry]").hidden = state !== "refused";
    const wrong = row.querySelector(".wrong");
    wrong.hidden = !reason;
    wrong.textContent = reason;
    // What needs a look comes first.
    if (state === "refused") list.prepend(row);
  }

  function tell() {
    const total = jobs.reduce((sum, job) => sum + job.file.size, 0);
    const sent = jobs.reduce((sum, job) => sum + (job.state === "refused" ? job.file.size : job.sent), 0);
    const open = is("waiting").length + is("sending").length;
    const refused = is("refused").length;
    const files = jobs.length === 1 ? "1 file" : `${jobs.length} files`;
    const title = open ? `Uploading ${files}, ${open} to go` : `${is("done").length} of ${files} uploaded`;
    const heading = document.getElementById("uploads-title");
    const text = refused ? `${title}, ${refused} refused` : title;
    if (heading.textContent !== text) heading.textContent = text;
    document.getElementById("uploads-progress").value = total ? sent / total : 1;
    document.getElementById("uploads-progress").hidden = !open;
    document.getElementById("uploads-retry").hidden = open > 0 || refused < 2;
  }

  document.getElementById("uploads-retry").addEventListener("click", () => retry(is("refused")));
  document.getElementById("uploads-close").addEventListener("click", () => {
    panel.hidden = true;
    if (running) return;
    jobs.length = 0;
    list.replaceChildren();
  });

  document.querySelector("#upload-menu > summary").addEventListener("click", (event) => {
    event.preventDefault();
    picker.click();
  });
  picker.addEventListener("change", () => {
    add([...picker.files]);
    picker.value = "";
  });

  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  // Entering a child comes before leaving its parent, so they are counted.
  let within = 0;
  const covered = (on) => (cover.hidden = !on);
  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    within += 1;
    covered(true);
  });
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault());
  addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    within = Math.max(within - 1, 0);
    covered(within > 0);
  });
  addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    within = 0;
    covered(false);
    add([...event.dataTransfer.files]);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) add(files);
  });

  addEventListener("beforeunload", (event) => {
    if (running) event.preventDefault();
  });
}
