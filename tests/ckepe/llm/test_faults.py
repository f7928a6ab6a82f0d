import email.utils

import pytest

from merl.ckepe.llm.faults import classify, retry_after


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after": email.utils.formatdate(1030, usegmt=True)}, 30),
        ({"retry-after": email.utils.formatdate(900, usegmt=True)}, 0),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
    ],
)
def test_retry_after_is_read_in_every_form(headers, seconds):
    assert retry_after(headers, now=1000) == seconds


class _TheirError(Exception):
    """An error of a client that langchain does not translate."""

    def __init__(self, status_code):
        super().__init__(f"their words {status_code}")
        self.status_code = status_code


@pytest.mark.parametrize(
    ("problem", "kind", "again"),
    [
        (_TheirError(401), "key", False),
        (_TheirError(404), "model", False),
        (_TheirError(429), "busy", True),
        (_TheirError(503), "server", True),
        (_TheirError(400), "request", False),
        (TimeoutError("slow"), "network", True),
        (ConnectionError("gone"), "network", True),
        (KeyError("choices"), "server", True),
    ],
)
def test_errors_of_any_client_are_told_apart(problem, kind, again):
    fault = classify(problem, "other:model", "there")
    assert (fault.kind, fault.tries > 1) == (kind, again)
    assert "there" in fault.sentence
