"""Runs a server and a Prometheus that scrapes it as the guide says, and evaluates every query of the dashboard and of the alerts.

Prints a line for each check, and exits with 1 when one fails. Uses only Python's own library.
"""

import json
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

PROGRAM = sys.argv[1]
MONITORING = pathlib.Path(__file__).parent.parent.parent / "config/monitoring"
TOKEN = "monitor-0123456789abcdef"
DEADLINE = 60
# Without anything to say on a server that just started.
QUIET = ("RasterdBackupTooOld",)
CONFIGURATION = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs:
  - job_name: rasterd
    scheme: https
    authorization: {{credentials_file: {folder}/token}}
    tls_config: {{ca_file: {folder}/data/certs/ca.pem}}
    static_configs: [{{targets: ["localhost:{port}"]}}]
rule_files: ["{rules}"]
"""
failures = []


def check(name, holds, detail=""):
    print(f"  {'holds' if holds else 'FAILS'}: {name}" + ("" if holds else f" ({str(detail)[:500]})"), flush=True)
    if not holds:
        failures.append(name)


def wait(condition):
    until = time.monotonic() + DEADLINE
    while not (found := condition()):
        if time.monotonic() > until:
            raise SystemExit("timed out")
        time.sleep(0.2)
    return found


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_server(folder, port):
    (folder / "token").touch(mode=0o600)
    (folder / "token").write_text(TOKEN)
    settings = [f"metrics.bind=127.0.0.1:{port}", f"metrics.token_file={folder}/token"]
    command = [PROGRAM, "serve", "--data-dir", folder / "data", "--bind", "127.0.0.1:0"]
    command += [part for setting in settings for part in ("--set", setting)]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    log = open(folder / "server.log", "wb")
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment, cwd=folder)
    for line in server.stdout:
        if found := re.search(r"Server\s+(https://\S+)", line):
            return server, found.group(1)
    raise SystemExit((folder / "server.log").read_text())


def use(url, folder):
    """A few requests, good and bad ones."""
    trust = ssl.create_default_context(cafile=folder / "data/certs/ca.pem")
    key = re.search(r"pk_\w+", wait(lambda: (folder / "data/first-key.txt").exists() and (folder / "data/first-key.txt").read_text()))
    for path, token in (("/me", key.group(0)), ("/me", "wrong"), ("/nowhere", "wrong"), ("/app/sign-in", "")):
        request = urllib.request.Request(url + path)
        request.add_header("Api-Version", "2026-07-08")
        request.add_header("Authorization", f"Bearer {token}")
        try:
            urllib.request.urlopen(request, context=trust, timeout=DEADLINE).read()
        except urllib.error.HTTPError:
            pass
    return trust


def check_format(port, trust):
    request = urllib.request.Request(f"https://localhost:{port}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    text = urllib.request.urlopen(request, context=trust, timeout=DEADLINE).read()
    linted = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    check("promtool check metrics has nothing to say", linted.returncode == 0 and not linted.stderr, linted.stderr)


class Prometheus:
    def __init__(self, folder, target):
        (folder / "prometheus.yml").write_text(
            CONFIGURATION.format(folder=folder, port=target, rules=(MONITORING / "alerts.yaml").resolve())
        )
        self.port = free_port()
        command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/series"]
        command.append(f"--web.listen-address=127.0.0.1:{self.port}")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=open(folder / "prometheus.log", "wb"))

    def get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            return json.loads(urllib.request.urlopen(url, timeout=DEADLINE).read())
        except urllib.error.HTTPError as error:
            return json.loads(error.read())
        except OSError:
            return {}

    def values(self, query):
        answer = self.get("query", query=query)
        return answer["data"]["result"] if answer.get("status") == "success" else None


def queries(part):
    """Every query of the dashboard."""
    if isinstance(part, dict):
        yield from [part["expr"]] if isinstance(part.get("expr"), str) else []
        for member in part.values():
            yield from queries(member)
    elif isinstance(part, list):
        for member in part:
            yield from queries(member)


def check_queries(prometheus):
    dashboard = json.loads((MONITORING / "dashboard.json").read_text())
    found = list(queries(dashboard))
    empty = []
    for query in found:
        asked = query.replace("$instance", ".*").replace("$__rate_interval", "30s")
        values = prometheus.values(asked)
        if values is None:
            check(f"the query {query}", False, prometheus.get("query", query=asked))
        elif not values:
            empty.append(query)
    check(f"{len(found)} queries of the dashboard are evaluated", bool(found))
    print(f"  {len(empty)} of them have no value yet: " + "; ".join(empty))
    rules = wait(lambda: prometheus.get("rules").get("data", {}).get("groups"))[0]["rules"]
    wait(lambda: all(rule["health"] != "unknown" for rule in prometheus.get("rules")["data"]["groups"][0]["rules"]))
    rules = prometheus.get("rules")["data"]["groups"][0]["rules"]
    for rule in rules:
        check(f"the alert {rule['name']} is evaluated", rule["health"] == "ok", rule)
        if rule["name"] not in QUIET:
            check(f"the alert {rule['name']} is quiet", rule["state"] == "inactive", rule)


def check_alerts(prometheus, server):
    """The alert about a server that is gone."""
    server.send_signal(signal.SIGTERM)
    server.wait(DEADLINE)
    is_pending = lambda rule: rule["name"] == "RasterdDown" and rule["state"] != "inactive"
    rules = lambda: prometheus.get("rules")["data"]["groups"][0]["rules"]
    check("the alert RasterdDown notices a server that stopped", wait(lambda: any(map(is_pending, rules()))))


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        port = free_port()
        server, url = start_server(folder, port)
        try:
            trust = use(url, folder)
            check_format(port, trust)
            prometheus = Prometheus(folder, port)
            try:
                wait(lambda: [sample for sample in prometheus.values("up") or [] if sample["value"][1] == "1"])
                check("Prometheus scrapes the server", True)
                # Rates need a few samples, with requests between them.
                for _ in range(5):
                    use(url, folder)
                    time.sleep(1)
                check_queries(prometheus)
                check_alerts(prometheus, server)
            finally:
                prometheus.process.terminate()
                prometheus.process.wait(DEADLINE)
        finally:
            server.kill()
    sys.exit(1 if failures else 0)


main()
