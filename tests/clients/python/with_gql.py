"""gql: the schema by introspection, a checked query, and an upload by the multipart convention."""

import io

from environment import AUTHORIZATION, LIBRARY, ORGANIZATION, PICTURE, URL, done, expect
from gql import Client, FileVar, gql
from gql.transport.aiohttp import AIOHTTPTransport

headers = {**AUTHORIZATION, "Apollo-Require-Preflight": "true"}
transport = AIOHTTPTransport(url=f"{URL}/graphql", headers=headers, ssl=True)
client = Client(transport=transport, fetch_schema_from_transport=True)
upload = gql(
    """mutation ($o: ID!, $l: ID!, $files: [Upload!]!) {
      uploadAssets(organizationId: $o, libraryId: $l, files: $files) { responseText assets { id name } }
    }"""
)
upload.variable_values = {
    "o": ORGANIZATION,
    "l": LIBRARY,
    "files": [FileVar(io.BytesIO(PICTURE), filename="by gql.jpg", content_type="image/jpeg")],
}
uploaded = client.execute(upload, upload_files=True)["uploadAssets"]["assets"]
expect(uploaded[0]["name"] == "by gql", f"the asset, and not {uploaded}")
query = gql("query ($o: ID!, $l: ID!) { assets(organizationId: $o, libraryId: $l) { id sizes tags } }")
query.variable_values = {"o": ORGANIZATION, "l": LIBRARY}
listed = client.execute(query)["assets"]
expect(any(asset["id"] == uploaded[0]["id"] for asset in listed), "the asset in the list")
done("gql", "introspection, a checked query, an upload")
