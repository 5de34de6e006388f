"""Settings of API Gateway that Chalice does not make; `app.py` adds them at each deployment.

API Gateway's own error responses are problem documents (RFC 9457): they are added to the API
description that Chalice generates, so plain `chalice deploy` includes them too. See API Gateway
developer guide, "Gateway response types".
"""

import json
from typing import Any

from functions.core.platform.web import HSTS

EXTENSION = "x-amazon-apigateway-gateway-responses"

_SIGN_IN = "Sign in with POST /session and send its token as a bearer token."
_LATER = "Something went wrong here. Try again in a moment."
_ANSWERS = {
    "UNAUTHORIZED": (401, "Not signed in", _SIGN_IN),
    "EXPIRED_TOKEN": (401, "Not signed in", _SIGN_IN),
    "ACCESS_DENIED": (403, "Not allowed", "This call is not open to you."),
    "INVALID_API_KEY": (403, "Not allowed", "This call is not open to you."),
    "INVALID_SIGNATURE": (403, "Not allowed", "This call is not open to you."),
    "WAF_FILTERED": (403, "Not allowed", "This call is not open to you."),
    # API Gateway's response to an unknown path.
    "MISSING_AUTHENTICATION_TOKEN": (404, "Not found", "There is nothing here."),
    "RESOURCE_NOT_FOUND": (404, "Not found", "There is nothing here."),
    "BAD_REQUEST_BODY": (400, "Invalid request", "The body cannot be read."),
    "BAD_REQUEST_PARAMETERS": (400, "Invalid request", "A parameter is invalid."),
    "REQUEST_TOO_LARGE": (413, "Too large", "The body is too large."),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Unknown type", "This type of body is not taken here."),
    "QUOTA_EXCEEDED": (429, "Too many requests", "Try again later."),
    "THROTTLED": (429, "Too many requests", "Try again in a moment."),
    "API_CONFIGURATION_ERROR": (500, "Failed", _LATER),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "Failed", _LATER),
    "AUTHORIZER_FAILURE": (500, "Failed", _LATER),
    "INTEGRATION_FAILURE": (504, "Failed", _LATER),
    "INTEGRATION_TIMEOUT": (504, "Too slow", _LATER),
}


def responses() -> dict[str, Any]:
    return {
        kind: {
            "statusCode": str(status),
            "responseParameters": {
                "gatewayresponse.header.Content-Type": "'application/problem+json'",
                "gatewayresponse.header.Strict-Transport-Security": f"'{HSTS}'",
            },
            "responseTemplates": {
                "application/json": json.dumps({"title": title, "status": status, "detail": detail})
            },
        }
        for kind, (status, title, detail) in _ANSWERS.items()
    }


def add_error_responses() -> None:
    """Add the responses to every API description that Chalice generates in this process."""
    from chalice.deploy.swagger import SwaggerGenerator

    SwaggerGenerator._BASE_TEMPLATE[EXTENSION] = responses()


def allow_forms_with_files() -> None:
    """Let a route take both forms with files, which are binary, and other bodies.

    API Gateway decides by the type of each body and Chalice decodes it accordingly; only Chalice's
    check before a deployment does not know that.
    """
    from chalice.deploy import validate

    def accept(routes: Any, binary_types: list[str]) -> None:
        pass

    validate.validate_route_content_types = accept


def let_browsers_have_files(app: Any) -> None:
    """Let a link lead to a file of bytes, such as a workbook.

    API Gateway decodes such an answer only if the first type of `Accept` is one that it takes for
    binary, and a browser that follows a link asks for `text/html` first (developer guide, "Binary
    media types for REST APIs"). It passes on an answer that is not encoded, such as a page, as it
    is. At run time the type must not be listed: Chalice would encode pages too.
    """
    app.api.binary_types.append("text/html")
