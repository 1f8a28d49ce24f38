#!/usr/bin/python3
"""Starts a program in a folder with a system, as systemd would start it by a unit: as its user, with its capabilities, its
system calls, a file system that it can't write to, and a socket for notifications. Prints `ready` when the program says so,
passes SIGTERM on, and ends with its exit code.

    as_the_unit_would.py ROOT UNIT [VARIABLE=VALUE...]

Needs root, Debian's python3-seccomp and `systemd-analyze`. What it does not know of the unit, it refuses.
"""

import ctypes
import os
import pwd
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import seccomp

NOT_HERE = {
    # They need systemd itself, or a kernel feature that has no effect on what the program can do here.
    "Type", "ExecReload", "Restart", "RestartPreventExitStatus", "RestartSec", "TimeoutStopSec", "WatchdogSec", "KeyringMode",
    "LockPersonality", "MemoryDenyWriteExecute", "PrivateIPC", "ProtectClock", "ProtectControlGroups", "ProtectHome", "ProtectHostname",
    "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectProc", "RemoveIPC",
    "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "SystemCallArchitectures",
}  # fmt: skip
PR_SET_KEEPCAPS, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 24, 38, 47, 2
LAST_CAPABILITY = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
CAPABILITY = {"CAP_NET_BIND_SERVICE": 10}
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9)}
EPERM = 1

libc = ctypes.CDLL(None, use_errno=True)
libcap = ctypes.CDLL("libcap.so.2", use_errno=True)
libcap.cap_from_text.restype = ctypes.c_void_p
libcap.cap_set_proc.argtypes = [ctypes.c_void_p]


def main() -> None:
    root, unit, *environment = sys.argv[1:]
    settings = read(Path(unit))
    unknown = settings.keys() - NOT_HERE - KNOWN
    if unknown:
        sys.exit(f"{unit} has settings that this test does not know: {sorted(unknown)}")
    notifications = open_notifications(root)
    calls = allowed_calls(settings["SystemCallFilter"])
    child = os.fork()
    if child == 0:
        try:
            enter(root, settings)
            variables = {"PATH": "/usr/bin:/bin", "NOTIFY_SOCKET": "/run/notify", **variables_of(settings)}
            variables |= dict(pair.split("=", 1) for pair in environment)
            limit(settings, calls)
            program = shlex.split(settings["ExecStart"][0])
            os.execve(program[0], program, variables)
        except BaseException as error:  # noqa: BLE001 the child must never go on as the parent
            print(f"not started: {error!r}", file=sys.stderr, flush=True)
            os._exit(99)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    signal.signal(signal.SIGHUP, lambda *_: os.kill(child, signal.SIGHUP))
    report(notifications, child)


KNOWN = {
    "ExecStart", "User", "Group", "UMask", "StateDirectory", "StateDirectoryMode", "RuntimeDirectory", "WorkingDirectory",
    "LimitNOFILE", "AmbientCapabilities", "CapabilityBoundingSet", "LoadCredential", "ReadWritePaths", "NoNewPrivileges",
    "ProtectSystem", "PrivateTmp", "PrivateDevices", "SystemCallFilter", "SystemCallErrorNumber",
}  # fmt: skip


def read(unit: Path) -> dict[str, list[str]]:
    settings: dict[str, list[str]] = {}
    section = ""
    for line in unit.read_text().splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and not line.startswith("#"):
            key, value = line.split("=", 1)
            settings.setdefault(key, []).append(value)
    return settings


def open_notifications(root: str) -> socket.socket:
    path = Path(root, "run/notify")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(path))
    path.chmod(0o777)
    return listener


def allowed_calls(filters: list[str]) -> set[str]:
    """The system calls that a unit's filters leave. A later line with `~` takes some away."""
    calls: set[str] = set()
    for line in filters:
        named = {call for name in line.removeprefix("~").split() for call in calls_in(name)}
        calls = calls - named if line.startswith("~") else calls | named
    # systemd always allows these, so that a program can start and end.
    return calls | {"execve", "exit", "exit_group", "rt_sigreturn", "brk", "mmap", "mprotect", "arch_prctl"}


def calls_in(name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True)
    words = [line.strip() for line in listed.stdout.splitlines()[1:]]
    return {call for word in words if word and not word.startswith("#") for call in calls_in(word)}


def enter(root: str, settings: dict[str, list[str]]) -> None:
    """A file system of which only the directories of the unit can be written to."""
    if libc.unshare(0x00020000) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    mount("--make-rprivate", "/")
    writable = [f"{root}/var/lib/{settings['StateDirectory'][0]}", f"{root}/run"]
    optional = [f"{root}{path.removeprefix('-')}" for path in settings["ReadWritePaths"]]
    writable += [path for path in optional if os.path.exists(path)]
    mount("--rbind", root, root)
    for path in writable:
        mount("--bind", path, path)
    mount("-o", "remount,bind,ro", root)
    mount("-t", "proc", "proc", f"{root}/proc")
    for folder in ("tmp", "dev"):
        mount("-t", "tmpfs", "-o", "mode=1777" if folder == "tmp" else "mode=755", "tmpfs", f"{root}/{folder}")
    for name, (major, minor) in DEVICES.items():
        os.mknod(f"{root}/dev/{name}", 0o020666, os.makedev(major, minor))
        os.chmod(f"{root}/dev/{name}", 0o666)
    load_credentials(root, settings)
    os.chroot(root)
    os.chdir(f"/var/lib/{settings['StateDirectory'][0]}")


def load_credentials(root: str, settings: dict[str, list[str]]) -> None:
    name, folder = settings["LoadCredential"][0].split(":")
    target = Path(root, "run/credentials")
    target.mkdir(exist_ok=True)
    user = user_of(root, settings)
    for old in target.iterdir():
        old.unlink()
    for file in Path(root + folder).iterdir():
        loaded = target / f"{name}_{file.name}"
        loaded.write_bytes(file.read_bytes())
        loaded.chmod(0o400)
        os.chown(loaded, user.pw_uid, user.pw_gid)


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def user_of(root: str, settings: dict[str, list[str]]) -> pwd.struct_passwd:
    """The unit's user, as the system in `root` knows it; `/` after the program went into it."""
    for line in Path(root, "etc/passwd").read_text().splitlines():
        name, password, uid, gid, *rest = line.split(":")
        if name == settings["User"][0]:
            return pwd.struct_passwd((name, password, int(uid), int(gid), *rest))
    raise LookupError(f"there is no user {settings['User'][0]}")


def variables_of(settings: dict[str, list[str]]) -> dict[str, str]:
    return {
        "STATE_DIRECTORY": f"/var/lib/{settings['StateDirectory'][0]}",
        "CREDENTIALS_DIRECTORY": "/run/credentials",
        "LANG": "C.UTF-8",
    }


def limit(settings: dict[str, list[str]], calls: set[str]) -> None:
    user = user_of("/", settings)
    kept = {CAPABILITY[name] for name in settings["CapabilityBoundingSet"][0].split()}
    for capability in range(LAST_CAPABILITY + 1):
        if capability not in kept:
            prctl(PR_CAPBSET_DROP, capability)
    prctl(PR_SET_KEEPCAPS, 1)
    os.umask(int(settings["UMask"][0], 8))
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    names = settings["AmbientCapabilities"][0].split()
    text = ",".join(names).lower() + "=eip"
    if libcap.cap_set_proc(libcap.cap_from_text(text.encode())) != 0:
        raise OSError(ctypes.get_errno(), text)
    for name in names:
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAPABILITY[name])
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    rules = seccomp.SyscallFilter(seccomp.ERRNO(EPERM))
    for call in sorted(calls):
        try:
            rules.add_rule(seccomp.ALLOW, call)
        except RuntimeError:
            pass  # Not a system call of this machine.
    rules.load()


def prctl(*arguments: int) -> None:
    if libc.prctl(*(list(arguments) + [0] * (5 - len(arguments)))) != 0:
        raise OSError(ctypes.get_errno(), f"prctl{arguments}")


def report(notifications: socket.socket, child: int) -> None:
    notifications.settimeout(0.2)
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            sys.exit(os.waitstatus_to_exitcode(status))
        try:
            for line in notifications.recv(4096).decode().splitlines():
                if line == "READY=1":
                    print("ready", flush=True)
        except (TimeoutError, InterruptedError):
            continue


main()
