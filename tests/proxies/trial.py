"""Runs the checks behind each proxy, with the snippets that the guide prints."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from checks import CHECKS, answers
from processes import Process, Rasterd, free_port, make_certificate, until
from snippets import Place, placed, read_all, with_block, with_line

SNIPPETS = read_all()
PORT, SOCKET, PROTOCOL = "over a port", "over a Unix socket", "with the PROXY protocol"


@dataclass(frozen=True)
class Proxy:
    """A proxy, and how it is started with the files of a trial."""

    name: str
    program: str
    start: Callable[[str, Place, str], Process]
    ways: tuple[str, ...]


def start_nginx(program: str, place: Place, way: str) -> Process:
    if way == PROTOCOL:
        module = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n"
        sites = SNIPPETS[f"nginx, {way}"]
    else:
        module, sites = "", SNIPPETS["nginx, over a port"]
        if way == SOCKET:
            sites = with_block(
                sites, SNIPPETS["nginx, the upstream over a Unix socket"], "upstream rasterd {"
            )
        temporary = "".join(
            f"    {kind}_temp_path {place.folder}/temporary;\n"
            for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        )
        sites = f"http {{\n    access_log off;\n{temporary}{sites}}}\n"
    text = f"{module}daemon off;\nuser root;\npid {place.folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\n{sites}"
    file = place.folder / "nginx.conf"
    file.write_text(placed(text, place))
    return Process("nginx", [program, "-e", "stderr", "-p", str(place.folder), "-c", str(file)], place.folder)


def start_caddy(program: str, place: Place, way: str) -> Process:
    site = SNIPPETS["Caddy, over a port"]
    if way == SOCKET:
        site = with_line(site, SNIPPETS["Caddy, the line over a Unix socket"], "reverse_proxy")
    # What keeps it to this machine and these ports.
    own = ["admin off", "auto_https disable_redirects", f"https_port {place.front}", "default_bind 127.0.0.1"]
    options = "".join(["{\n", *(f"\t{option}\n" for option in own), "}\n"])
    file = place.folder / "Caddyfile"
    file.write_text(options + placed(site, place))
    return Process("caddy", [program, "run", "--adapter", "caddyfile", "--config", str(file)], place.folder)


def start_traefik(program: str, place: Place, way: str) -> Process:
    static = place.folder / "traefik.yml"
    static.write_text(placed(SNIPPETS["Traefik, its static configuration"], place))
    (place.folder / "rasterd.yml").write_text(placed(SNIPPETS[f"Traefik, {way}"], place))
    return Process("traefik", [program, f"--configFile={static}"], place.folder)


def proxies(packages: Path) -> list[Proxy]:
    def installed(name: str) -> str:
        return shutil.which(name) or ""

    return [
        Proxy("nginx", installed("nginx"), start_nginx, (PORT, SOCKET, PROTOCOL)),
        Proxy("caddy", installed("caddy"), start_caddy, (PORT, SOCKET)),
        Proxy("caddy-newest", str(packages / "caddy"), start_caddy, (PORT, SOCKET)),
        Proxy("traefik", str(packages / "traefik"), start_traefik, (PORT, PROTOCOL)),
    ]


def try_one(proxy: Proxy, way: str, binary: str) -> None:
    with tempfile.TemporaryDirectory(prefix="rasterd-proxies-") as folder:
        place = Place(Path(folder), free_port(), free_port())
        make_certificate(place.folder / "tls")
        configuration = placed(SNIPPETS[f"rasterd, {way}"], place)
        with (
            Rasterd(binary, place, configuration) as rasterd,
            proxy.start(proxy.program, place, way) as running,
        ):
            until(f"{proxy.name} answers", lambda: answers(place), running)
            for check in CHECKS:
                try:
                    check(place, rasterd)
                except Exception as problem:
                    logs = f"{running.log()}\n{rasterd.log()}"[-6000:]
                    raise SystemExit(
                        f"{proxy.name} {way}: {check.__name__}: {problem!r}\n{logs}"
                    ) from problem


def main() -> None:
    binary, packages, *only = sys.argv[1:]
    tried = 0
    for proxy in proxies(Path(packages)):
        if only and proxy.name not in only:
            continue
        if not proxy.program:
            print(f"{proxy.name} is not installed, and was left out")
            continue
        for way in proxy.ways:
            try_one(proxy, way, binary)
            print(f"{proxy.name} {way}: {len(CHECKS)} checks passed", flush=True)
            tried += 1
    if tried == 0:
        raise SystemExit("no proxy was tried")


main()
