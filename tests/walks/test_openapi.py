"""Requests made from the OpenAPI description, right ones and wrong ones: no server error comes back."""

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error

from osler.server.app import create_app
from osler.settings import load_settings

FEW = settings(
    max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], derandomize=True
)  # fmt: skip


def test_no_described_request_ends_in_a_server_error(tmp_path):
    app = create_app(load_settings({"home": str(tmp_path)}), "t")
    schema = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app
    calls = 0

    for found in schema.get_all_operations():
        operation = found.ok()

        @FEW
        @given(case=operation.as_strategy())
        def call(case):
            nonlocal calls
            calls += 1
            headers = {**(case.headers or {}), "Authorization": "Bearer t"}
            response = case.call(base_url="http://127.0.0.1", headers=headers)
            case.validate_response(response, checks=[not_a_server_error])

        call()
    assert calls > 60
