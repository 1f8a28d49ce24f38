"""What a program does when the server has trouble. Faults name a key, so that tests in parallel don't meet them."""

import time

import httpx
import pytest
import requests
from rasterd.testing import Organization


def listed(organization: Organization, timeout: float = 60) -> httpx.Response:
    trust = organization.server.ssl_context
    return httpx.get(organization.assets_url, headers=organization.headers(), verify=trust, timeout=timeout)


@pytest.mark.parametrize(
    ("status", "code"), [(503, "SERVICE_UNAVAILABLE"), (429, "RATE_LIMITED"), (507, "STORAGE_FULL")]
)
def test_an_error_comes_as_often_as_asked(rasterd_org: Organization, status: int, code: str) -> None:
    rasterd_org.add_fault({"status": status, "code": code}, times=2)
    answers = [listed(rasterd_org).status_code for _ in range(3)]
    assert answers == [status, status, 200]


def test_a_slow_answer_meets_the_time_limit(rasterd_org: Organization) -> None:
    with rasterd_org.add_fault({"latencyMs": 2000}), pytest.raises(httpx.ReadTimeout):
        listed(rasterd_org, timeout=0.3)
    assert listed(rasterd_org).status_code == 200


def test_a_connection_is_cut(rasterd_org: Organization) -> None:
    with rasterd_org.add_fault({"cut": True}), pytest.raises(httpx.TransportError):
        listed(rasterd_org)


def test_a_full_disk_refuses_uploads_and_answers_reads(rasterd_org: Organization, picture: bytes) -> None:
    bundle = str(rasterd_org.server.ca_bundle)
    with rasterd_org.add_fault({"fullDisk": True}):
        refused = requests.post(
            rasterd_org.assets_url, headers=rasterd_org.headers(), files={"files": picture}, verify=bundle
        )
        assert (refused.status_code, refused.json()["error"]["code"]) == (507, "STORAGE_FULL")
        assert listed(rasterd_org).status_code == 200


def test_retries_are_seen_in_the_list_of_requests(rasterd_org: Organization) -> None:
    rasterd_org.add_fault({"status": 503, "code": "SERVICE_UNAVAILABLE"}, operation="list_assets", times=2)
    while listed(rasterd_org).status_code == 503:
        time.sleep(0.01)
    seen = rasterd_org.server.requests(key_id=rasterd_org.key_ids.write)
    assert [request["status"] for request in seen] == [503, 503, 200]
