"""Reads what `strace -f -e trace=%network,io_uring_setup` wrote, and finds what leaves the machine."""

import collections
import re

# Calls that name the one to whom something is sent.
SENDING = {"connect", "sendto", "sendmsg", "sendmmsg"}
INTERNET = {"AF_INET", "AF_INET6"}
# Within the machine: files, and the kernel's own answers about its interfaces.
LOCAL = {"AF_UNIX", "AF_NETLINK"}
ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
CALL = re.compile(r"^(\d+)\s+(\w+)\((.*)$")
RESUMED = re.compile(r"^(\d+)\s+<\.\.\. (\w+) resumed>(.*)$")
RESULT = re.compile(r"\)\s+= (-?\d+|\?)")


def calls(lines):
    """Each call with its process, its name, and its arguments with the result; those that were interrupted put together."""
    begun = {}
    for line in lines:
        line = line.rstrip("\n")
        if found := RESUMED.match(line):
            process, name, rest = found.groups()
            yield process, name, begun.pop((process, name), "") + rest
        elif found := CALL.match(line):
            process, name, rest = found.groups()
            if rest.endswith("<unfinished ...>"):
                begun[process, name] = rest.removesuffix("<unfinished ...>")
            else:
                yield process, name, rest
    # What never returned was tried all the same.
    for (process, name), rest in begun.items():
        yield process, name, rest


def is_loopback(address):
    return address.startswith("127.") or address in ("::1", "::ffff:127.0.0.1")


class Trace:
    """What a program did with the network."""

    def __init__(self, lines, may_connect_here=False):
        self.calls = 0
        self.families = collections.Counter()
        self.listening = 0
        self.accepted = 0
        self.here = 0
        self.problems = []
        self.unused = {}
        self.may_connect_here = may_connect_here
        for process, name, rest in calls(lines):
            self.calls += 1
            self.read(process, name, rest)
        for text in self.unused.values():
            self.problems.append(f"an internet socket that does not listen: {text}")

    def read(self, process, name, rest):
        text = f"{process} {name}({rest}"
        result = RESULT.search(rest)
        number = result.group(1) if result else None
        if name == "io_uring_setup":
            self.problems.append(f"calls that strace can't see: {text}")
        elif name == "socket":
            self.socket(process, rest.split(",")[0].strip(), number, text)
        elif name in SENDING:
            self.send(process, rest, text)
        elif name == "bind" and (addresses := ADDRESS.search(rest)):
            address = addresses.group(1) or addresses.group(2)
            if not is_loopback(address):
                self.problems.append(f"listens on another address: {text}")
        elif name == "listen":
            self.listening += self.unused.pop((process, rest.split(",")[0].strip()), None) is not None
        elif name in ("accept", "accept4") and ADDRESS.search(rest):
            self.accepted += 1

    def socket(self, process, family, number, text):
        self.families[family] += 1
        if family in INTERNET:
            # A thread makes its socket, binds it and listens, before it does anything else with it.
            self.unused[process, number] = text
        elif family not in LOCAL:
            self.problems.append(f"a socket of another kind: {text}")

    def send(self, process, rest, text):
        families = {word for word in INTERNET | {"AF_PACKET", "AF_VSOCK"} if f"sa_family={word}" in rest}
        if not families:
            return
        addresses = [one or other for one, other in ADDRESS.findall(rest)]
        if self.may_connect_here and addresses and all(map(is_loopback, addresses)):
            self.here += 1
            self.unused.pop((process, rest.split(",")[0].strip()), None)
        else:
            self.problems.append(f"calls out: {text}")
