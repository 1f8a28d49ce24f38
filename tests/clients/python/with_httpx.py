"""httpx, the client below most SDKs of model vendors: trusts the authority of the client setups, and all public ones."""

import os
import ssl

import httpx
from environment import LIBRARY_URL, PICTURE, REST, URL, done, expect

# The same file that the client below opens by itself when the variable is set.
authorities = len(ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"]).get_ca_certs())
expect(authorities > 20, f"the system's authorities beside ours, and not {authorities} in all")
with httpx.Client(headers=REST) as client:
    expect(client.get(f"{URL}/me").status_code == 200, "an answer of /me")
    files = [("files", (f"{n}.jpg", PICTURE, "image/jpeg")) for n in range(3)]
    uploaded = client.post(f"{LIBRARY_URL}/assets", files=files).json()["data"]["assets"]
    expect([asset["name"] for asset in uploaded] == ["0", "1", "2"], "three assets in order")
    listed = client.get(f"{LIBRARY_URL}/assets", params={"pageSize": 3}).json()["data"]
    expect([asset["name"] for asset in listed] == ["2", "1", "0"], "the later ones as the newer ones")
done("httpx", "REST, upload of three files in order, the system's authorities")
