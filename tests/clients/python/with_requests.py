"""requests."""

import requests
from environment import AUTHORIZATION, LIBRARY_URL, PICTURE, REST, URL, done, expect

me = requests.get(f"{URL}/me", headers=REST)
expect(me.status_code == 200, "an answer of /me")
files = {"files": ("größe – 図.jpg", PICTURE, "image/jpeg")}
uploaded = requests.post(f"{LIBRARY_URL}/assets", headers=REST, files=files)
expect(uploaded.status_code == 200, f"an upload, and not {uploaded.text}")
asset = uploaded.json()["data"]["assets"][0]
expect(asset["name"] == "größe – 図", f"the file's name, and not {asset['name']}")
expect(requests.get(asset["url"]).content == PICTURE, "the same bytes back")
query = {"query": "{ viewer { organizationId } }"}
viewer = requests.post(f"{URL}/graphql", headers=AUTHORIZATION, json=query).json()
expect(viewer["data"]["viewer"]["organizationId"], "the organization in GraphQL")
gone = requests.delete(f"{LIBRARY_URL}/assets", headers=REST, json={"ids": [asset["id"]]})
expect(gone.json()["data"]["success"], "the asset in the trash")
done("requests", "REST, upload, asset url, GraphQL, delete")
