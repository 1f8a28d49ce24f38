"""tuspy: a one-time address takes a file in parts, and goes on after the client was stopped."""

import io

import requests
from environment import LIBRARY_URL, PICTURE, REST, done, expect
from tusclient.client import TusClient

CHUNK = 50_000
created = requests.post(f"{LIBRARY_URL}/uploads", headers=REST, json={"filename": "tuspy.jpg"})
expect(created.status_code == 201, f"an address, and not {created.text}")
url = created.json()["data"]["uploadUrl"]


def uploader():
    # It says the size of the file only when it creates an upload itself, so each request says it here.
    client = TusClient(url, headers={"Upload-Length": str(len(PICTURE))})
    return client.uploader(file_stream=io.BytesIO(PICTURE), url=url, chunk_size=CHUNK)


first = uploader()
first.upload_chunk()
expect(first.offset == CHUNK, "the first part acknowledged")
second = uploader()
expect(second.offset == CHUNK, "the offset to go on at")
second.upload()
assets = requests.get(f"{LIBRARY_URL}/assets", headers=REST).json()["data"]
asset = next(asset for asset in assets if asset["name"] == "tuspy")
expect(requests.get(asset["url"]).content == PICTURE, "the same bytes back")
done("tuspy", "parts, going on after a stop, the asset")
