"""openapi-python-client: generates a client from each version's document, and uploads a picture with it."""

import importlib
import io
import shutil
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

from environment import AUTHORIZATION, LIBRARY, ORGANIZATION, PICTURE, URL, done, expect

VERSIONS = ("2026-05-20", "2026-07-08")


def generated(version: str) -> Path:
    """The package, in a folder of its own: a program imports one of a name only once."""
    with urllib.request.urlopen(f"{URL}/openapi.json?version={version}") as answer:
        Path("openapi.json").write_bytes(answer.read())
    folder = Path(f"generated_{version.replace('-', '_')}")
    shutil.rmtree(folder, ignore_errors=True)
    generator = [Path(sys.executable).parent / "openapi-python-client", "generate", "--fail-on-warning"]
    command = [*generator, "--path", "openapi.json", "--output-path", folder, "--meta", "none"]
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    subprocess.run(command, check=True, env={"PATH": path}, stdout=sys.stderr)
    return folder


def uploaded(package: Path, version: str) -> None:
    operation = next(package.glob("api/*/upload_assets.py"))
    module = importlib.import_module(".".join(operation.with_suffix("").parts))
    models = importlib.import_module(f"{package}.models")
    types = importlib.import_module(f"{package}.types")
    client = importlib.import_module(str(package)).Client(
        base_url=URL, headers=AUTHORIZATION, verify_ssl=ssl.create_default_context(), raise_on_unexpected_status=True
    )
    file = types.File(io.BytesIO(PICTURE), file_name="generated.jpg", mime_type="image/jpeg")
    body = next(
        getattr(models, name)
        for name in dir(models)
        if name.lower().startswith("upload") and hasattr(getattr(models, name), "to_multipart")
    )
    answer = module.sync_detailed(
        ORGANIZATION, LIBRARY, client=client, body=body(files=[file]), api_version=version
    )
    expect(answer.status_code == 200, f"an upload, and not {answer.content!r}")
    expect(answer.parsed.data.assets[0].name == "generated", "its asset, parsed")


sys.path.insert(0, ".")
for version in VERSIONS:
    uploaded(generated(version), version)
done("openapi-python-client", "of both versions a client without a warning, an upload")
