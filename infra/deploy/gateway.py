"""What API Gateway itself answers, before any function is asked: problems, as everywhere.

Chalice has no words for it, so the description that it lays down is completed by `app.py` on the
machine that deploys; a plain `chalice deploy` has it too. (API Gateway developer guide, "Gateway
response types"; RFC 9457.)
"""

from __future__ import annotations

import json
from typing import Any

EXTENSION = "x-amazon-apigateway-gateway-responses"

_SIGN_IN = "Sign in by POST /session and send its token as a bearer token."
_LATER = "Something went wrong here. Try again in a moment."
_ANSWERS = {
    "UNAUTHORIZED": (401, "Not signed in", _SIGN_IN),
    "EXPIRED_TOKEN": (401, "Not signed in", _SIGN_IN),
    "ACCESS_DENIED": (403, "Not allowed", "This call is not open to you."),
    "INVALID_API_KEY": (403, "Not allowed", "This call is not open to you."),
    "INVALID_SIGNATURE": (403, "Not allowed", "This call is not open to you."),
    "WAF_FILTERED": (403, "Not allowed", "This call is not open to you."),
    # What API Gateway says of a path that it does not know.
    "MISSING_AUTHENTICATION_TOKEN": (404, "Not found", "There is nothing here."),
    "RESOURCE_NOT_FOUND": (404, "Not found", "There is nothing here."),
    "BAD_REQUEST_BODY": (400, "The request does not fit", "The body cannot be read."),
    "BAD_REQUEST_PARAMETERS": (400, "The request does not fit", "A parameter does not fit."),
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
    """The answers as the description of an API (OpenAPI with Amazon's extensions) has them."""
    return {
        kind: {
            "statusCode": str(status),
            "responseParameters": {
                "gatewayresponse.header.Content-Type": "'application/problem+json'"
            },
            "responseTemplates": {
                "application/json": json.dumps({"title": title, "status": status, "detail": detail})
            },
        }
        for kind, (status, title, detail) in _ANSWERS.items()
    }


def describe_answers() -> None:
    """Let every API description that Chalice writes in this process carry the answers."""
    from chalice.deploy.swagger import SwaggerGenerator

    SwaggerGenerator._BASE_TEMPLATE[EXTENSION] = responses()
