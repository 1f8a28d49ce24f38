"""What the tests share."""

import base64

import pytest

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


@pytest.fixture
def picture() -> bytes:
    """A small PNG."""
    return base64.b64decode(PNG)
