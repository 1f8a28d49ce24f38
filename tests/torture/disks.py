"""A server on small file systems that run full, lose their right to be written or all that is not synced, and come back.

Needs root, because it mounts them: tmpfs, ext4 and xfs, each in a file. Prints a line for each promise, and exits with 1
when one does not hold. Uses only Python's own library.
"""

import errno
import fcntl
import hashlib
import json
import os
import random
import re
import signal
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zlib

PROGRAM = sys.argv[1]
# Without the settings of a checkout, such as where its certificate is.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("RASTERD_")}
API = "2026-07-08"
MIB = 1 << 20
DEADLINE = 60
CUTS = 25
# Of <linux/fs.h> and <xfs/xfs_fs.h>; ext4 has the same.
SHUT_DOWN = 0x8004587D
WITHOUT_THE_LOG = 2
failures = []


def check(name, holds, detail=""):
    print(f"  {'holds' if holds else 'FAILS'}: {name}" + ("" if holds else f" ({detail})"), flush=True)
    if not holds:
        failures.append(name)


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def picture(size):
    """A PNG of about this many bytes that does not compress."""
    side = max(1, int((size / 3) ** 0.5))
    noise = random.Random(random.random())
    rows = b"".join(b"\0" + noise.randbytes(side * 3) for _ in range(side))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")


class Server:
    def __init__(self, data, *settings):
        self.data, self.settings = data, settings
        self.key = None
        self.start()

    def start(self):
        command = [PROGRAM, "serve", "--data-dir", self.data, "--bind", "127.0.0.1:0", *self.settings]
        self.log = open(os.path.join(tempfile.gettempdir(), f"torture-{os.getpid()}.log"), "ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True, env=ENVIRONMENT)
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if found := re.search(r"Server\s+(https://\S+)", line):
                self.url = found.group(1)
                break
        else:
            raise SystemExit("the server does not start:\n" + "".join(lines))
        self.trust = ssl.create_default_context(cafile=os.path.join(self.data, "certs", "ca.pem"))
        if self.key is None:
            wait(lambda: os.path.exists(os.path.join(self.data, "first-key.txt")))
            text = open(os.path.join(self.data, "first-key.txt")).read()
            self.key = re.search(r"pk_\w+", text).group(0)
        wait(lambda: self.ask("GET", "/healthz")[0] == 200)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, method, path, body=None, kind="application/json", key=None):
        request = urllib.request.Request(self.url + path, method=method, data=body)
        request.add_header("Authorization", f"Bearer {key or self.key}")
        request.add_header("Api-Version", API)
        if body is not None:
            request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, context=self.trust, timeout=DEADLINE) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError as error:
            return 0, str(error).encode()

    def upload(self, size):
        bytes_ = picture(size)
        body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + bytes_ + b"\r\n--x--\r\n"
        path = "/organizations/default/libraries/library/assets"
        status, answer = self.ask("POST", path, body, "multipart/form-data; boundary=x")
        if status == 200:
            data = json.loads(answer)["data"]
            asset = (data if isinstance(data, list) else data["assets"])[0]
            return status, (asset["id"], hashlib.sha256(bytes_).hexdigest())
        return status, answer

    def delete(self, asset):
        path = "/organizations/default/libraries/library/assets"
        return self.ask("DELETE", path, json.dumps({"ids": [asset]}).encode())

    def whole(self, asset, expected):
        status, body = self.ask("GET", f"/cdn/default/library/{asset}")
        return status == 200 and hashlib.sha256(body).hexdigest() == expected

    def command(self, *arguments):
        command = [PROGRAM, *arguments, "--data-dir", self.data]
        return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, env=ENVIRONMENT)


def wait(condition):
    until = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def fill(path):
    """Takes all room that is left."""
    with open(path, "ab", buffering=0) as file:
        for size in (MIB, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise


def upload_until_full(server):
    stored = []
    for _ in range(2000):
        status, answer = server.upload(MIB)
        if status != 200:
            return stored, status, answer
        stored.append(answer)
    return stored, status, answer


class Mounted:
    """A small file system, mounted as long as this lasts."""

    def __init__(self, kind, size, place=None, options=()):
        self.kind, self.size, self.options = kind, size, options
        self.place = place or tempfile.mkdtemp(prefix="torture-")

    def __enter__(self):
        if self.kind == "tmpfs":
            run("mount", "-t", "tmpfs", "-o", f"size={self.size}m", "tmpfs", self.place)
        else:
            self.image = tempfile.NamedTemporaryFile(prefix="torture-image-")
            self.image.truncate(self.size * MIB)
            run(f"mkfs.{self.kind}", "-q", *self.options, self.image.name)
            self.mount()
        return self.place

    def __exit__(self, *_):
        for _ in range(50):
            if subprocess.run(["umount", self.place], stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.2)

    def mount(self):
        run("mount", "-o", "loop", self.image.name, self.place)

    def cut_power(self):
        """Stops the file system where it is: what is in memory, also of its log, never reaches the disk."""
        folder = os.open(self.place, os.O_RDONLY)
        fcntl.ioctl(folder, SHUT_DOWN, struct.pack("I", WITHOUT_THE_LOG))
        os.close(folder)


def full_disk(kind, size):
    print(f"a full {kind}", flush=True)
    with Mounted(kind, size) as place:
        data, filler, spare = (os.path.join(place, name) for name in ("data", "filler", "spare"))
        with open(spare, "wb") as file:
            file.write(random.randbytes(40 * MIB))
        server = Server(data)
        try:
            made = server.command("key", "create", "leaked", "--org", "default", "--grant", "library=write")
            leaked = re.search(r"pk_\w+", made.stdout).group(0)
            leaked_id = next(key["id"] for key in keys(server) if key["name"] == "leaked")
            stored, status, answer = upload_until_full(server)
            check("uploads are refused with 507", status == 507 and b"STORAGE_FULL" in answer, (status, answer[:200]))
            fill(filler)
            check("what is stored is served", all(server.whole(*asset) for asset in stored))
            check("lists are answered", server.ask("GET", "/organizations/default/libraries/library/assets")[0] == 200)
            status, answer = server.delete(stored[0][0])
            check("assets are deleted", status == 200, (status, answer[:200]))
            status, answer = server.ask("GET", "/readyz")
            check("/readyz says that the disk is full", status == 503 and b"full" in answer, (status, answer))
            server.kill()
            server.start()
            check("it starts on a full disk", server.ask("GET", "/me")[0] == 200)
            deleted = server.command("key", "delete", leaked_id)
            check("a key is deleted", deleted.returncode == 0, deleted.stderr)
            check("and is refused", server.ask("GET", "/me", key=leaked)[0] == 401)
            status, answer = server.upload(MIB)
            check("uploads are still refused", status == 507, (status, answer[:200]))
            os.remove(filler)
            os.remove(spare)
            check("there is room again without a restart", wait(lambda: server.upload(1000)[0] == 200))
            check("what was acknowledged is there", all(server.whole(*asset) for asset in stored[1:]))
        finally:
            server.kill()


def keys(server):
    return json.loads(server.command("key", "list", "--json").stdout)


def files_of_their_own():
    print("files on a full file system of their own", flush=True)
    with Mounted("ext4", 256) as place:
        data = os.path.join(place, "data")
        os.makedirs(os.path.join(data, "files"), mode=0o700)
        os.chmod(data, 0o700)
        with Mounted("ext4", 64, os.path.join(data, "files")):
            server = Server(data)
            try:
                stored, status, answer = upload_until_full(server)
                check("files can be on a disk of their own", len(stored) > 10, len(stored))
                check("uploads are refused with 507", status == 507, (status, answer[:200]))
                fill(os.path.join(data, "files", "filler"))
                check("assets are deleted", server.delete(stored[0][0])[0] == 200)
                status, answer = server.ask("GET", "/readyz")
                check("/readyz says that the disk is full", status == 503 and b"full" in answer, (status, answer))
                check("what is stored is served", all(server.whole(*asset) for asset in stored[1:]))
            finally:
                server.kill()


def no_inodes():
    print("no inodes left", flush=True)
    with Mounted("ext4", 512, options=("-N", "1500")) as place:
        server = Server(os.path.join(place, "data"))
        try:
            made = 0
            try:
                while True:
                    open(os.path.join(place, f"x{made}"), "w").close()
                    made += 1
            except OSError:
                pass
            status, answer = server.upload(1000)
            check("uploads are refused with 507", status == 507, (status, answer[:200]))
            for number in range(made):
                os.remove(os.path.join(place, f"x{number}"))
            check("and work again", wait(lambda: server.upload(1000)[0] == 200))
        finally:
            server.kill()


def read_only():
    print("a disk that can only be read for a while", flush=True)
    with Mounted("ext4", 512) as place:
        server = Server(os.path.join(place, "data"))
        try:
            stored = [server.upload(1000)[1] for _ in range(3)]
            # An open file keeps the system from a plain remount; this is what it does by itself after an error.
            run("mount", "-o", "remount,abort", place)
            status, answer = server.upload(1000)
            check("nothing is acknowledged", status >= 500, (status, answer[:200]))
            status, answer = server.delete(stored[0][0])
            check("nor is a change of records", status == 503, (status, answer[:200]))
            check("reading goes on", wait(lambda: server.ask("GET", "/me")[0] == 200 and server.whole(*stored[1])))
            status, answer = server.ask("GET", "/readyz")
            check("/readyz says so", status == 503, answer)
        finally:
            server.kill()


class Writer(threading.Thread):
    """Uploads until the server is gone, and deletes every third asset; keeps what was acknowledged."""

    def __init__(self, server):
        super().__init__()
        self.server = server
        self.kept, self.deleted = [], []
        self.start()

    def run(self):
        for number in range(100000):
            status, asset = self.server.upload(3000)
            if status != 200:
                return
            if number % 3:
                self.kept.append(asset)
            elif self.server.delete(asset[0])[0] == 200:
                self.deleted.append(asset)


def power_cuts(kind, size):
    print(f"{CUTS} power cuts on {kind}", flush=True)
    kept, deleted, revoked = [], [], []
    disk = Mounted(kind, size)
    with disk as place:
        server = Server(os.path.join(place, "data"))
        try:
            for _ in range(CUTS):
                made = server.command("key", "create", "brief", "--org", "default", "--json")
                made = json.loads(made.stdout)
                writers = [Writer(server) for _ in range(4)]
                time.sleep(random.uniform(0.05, 0.8))
                if server.command("key", "delete", made["id"]).returncode == 0:
                    revoked.append(made["key"])
                disk.cut_power()
                server.kill()
                for writer in writers:
                    writer.join()
                    kept += writer.kept
                    deleted += writer.deleted
                disk.__exit__()
                disk.mount()
                server.start()
            check("there was something to lose", len(kept) > CUTS and len(deleted) > CUTS, (len(kept), len(deleted)))
            lost = [asset for asset in kept if not server.whole(*asset)]
            check(f"none of {len(kept)} acknowledged uploads is lost", not lost, lost[:3])
            ids = listed(server)
            back = [asset for asset in deleted if asset[0] in ids]
            check(f"none of {len(deleted)} deleted assets is back", not back, back[:3])
            check("no deleted key works", all(server.ask("GET", "/me", key=key)[0] == 401 for key in revoked))
            findings = json.loads(server.command("doctor", "--json").stdout)["findings"]
            found = [finding["text"] for finding in findings if finding["severity"] != "fine"]
            check("the doctor finds nothing", not found, found)
        finally:
            server.kill()


def listed(server):
    ids = set()
    for page in range(1, 1000):
        _, answer = server.ask("GET", f"/organizations/default/libraries/library/assets?pageSize=500&page={page}")
        found = {asset["id"] for asset in json.loads(answer)["data"]}
        if not found:
            return ids
        ids |= found


if os.geteuid() != 0:
    raise SystemExit("tests/torture/disks.py mounts file systems: run it as root")
full_disk("tmpfs", 256)
full_disk("ext4", 256)
full_disk("xfs", 400)
power_cuts("ext4", 4096)
power_cuts("xfs", 4096)
files_of_their_own()
no_inodes()
read_only()
raise SystemExit(f"{len(failures)} promises do not hold" if failures else 0)
