"""Whatever a client sends that the description allows, or nearly allows, gets an answer the description names."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.settings import Settings
from operations.database import Database
from tests.dashboard.conftest import Proof
from tests.dashboard.web import Web

EXAMPLES = 12
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
ROLES = {"/api/v1/reports": "source", "/metrics": "system_admin"}


@pytest.fixture
def web(settings: Settings, valkey: str, furnished: Database) -> Iterator[Web]:
    made = Web(settings)
    made.start()
    yield made
    made.stop()


def test_every_answer_is_one_the_description_names(web: Web, proof: Proof) -> None:
    from dashboard.api import described

    assert web.server is not None
    schema = schemathesis.openapi.from_dict(described(web.server.app))
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 8
    for operation in operations:
        headers = proof(ROLES.get(operation.path, "token_read"))
        for mode in schemathesis.GenerationMode:
            check(operation.as_strategy(generation_mode=mode), web.url, headers)


NO_HTTP = b"Invalid HTTP request received."


def check(cases: Any, url: str, headers: dict[str, str]) -> None:
    @limits(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def answered(case: Any) -> None:
        response = case.call(base_url=url, headers=headers)
        if response.content == NO_HTTP:
            return  # a header that HTTP does not know: the request reached nobody
        assert response.status_code != 500
        case.validate_response(response, checks=CHECKS)

    answered()
