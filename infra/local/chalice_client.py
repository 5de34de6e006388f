"""Chalice's AWS client for the emulator: no sleeps, and the API created resource by resource.

The emulator accepts `ImportRestApi` and `PutRestApi` but ignores their body, so this client creates
the resources of Chalice's API description with single calls.
"""

from typing import Any

from chalice.awsclient import TypedAWSClient

from infra.deploy.gateway import EXTENSION

Swagger = dict[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete", "options", "head")


_OF_BROWSERS = "text/html,application/xhtml+xml,application/xml"
"""The `Accept` of a browser that follows a link, up to the first weight: the emulator compares all
of it with the binary types, and AWS only the first type, which is `text/html`."""


class LocalClient(TypedAWSClient):
    def __init__(self, session: Any) -> None:
        super().__init__(session, sleep=lambda _seconds: None)

    def _wait_for_active(self, function_name: str) -> None:
        self._client("lambda").get_waiter("function_active").wait(
            FunctionName=function_name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600}
        )

    def _wait_for_function_update(self, function_name: str) -> None:
        self._client("lambda").get_waiter("function_updated").wait(
            FunctionName=function_name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 600}
        )

    def import_rest_api(self, swagger_document: Swagger, endpoint_type: str) -> str:
        api_id: str = self._client("apigateway").create_rest_api(
            name=swagger_document["info"]["title"],
            binaryMediaTypes=[
                *swagger_document["x-amazon-apigateway-binary-media-types"],
                _OF_BROWSERS,
            ],
            endpointConfiguration={"types": [endpoint_type]},
        )["id"]
        self._create_resources(api_id, swagger_document)
        return api_id

    def update_api_from_swagger(self, rest_api_id: str, swagger_document: Swagger) -> None:
        client = self._client("apigateway")
        # The emulator does not delete the children of a deleted resource: delete the deepest first.
        items = client.get_resources(restApiId=rest_api_id, limit=500)["items"]
        for item in sorted(items, key=lambda item: item["path"].count("/"), reverse=True):
            if item["path"] != "/":
                client.delete_resource(restApiId=rest_api_id, resourceId=item["id"])
        for item in client.get_authorizers(restApiId=rest_api_id)["items"]:
            client.delete_authorizer(restApiId=rest_api_id, authorizerId=item["id"])
        self._create_resources(rest_api_id, swagger_document)

    def _root(self, api_id: str) -> str:
        items = self._client("apigateway").get_resources(restApiId=api_id, limit=500)["items"]
        return next(str(item["id"]) for item in items if item["path"] == "/")

    def _create_resources(self, api_id: str, swagger: Swagger) -> None:
        client = self._client("apigateway")
        authorizers = {
            name: client.create_authorizer(
                restApiId=api_id,
                name=name,
                type="COGNITO_USER_POOLS",
                providerARNs=scheme["x-amazon-apigateway-authorizer"]["providerARNs"],
                identitySource=f"method.request.header.{scheme['name']}",
            )["id"]
            for name, scheme in swagger.get("securityDefinitions", {}).items()
        }
        for kind, answer in swagger.get(EXTENSION, {}).items():
            client.put_gateway_response(restApiId=api_id, responseType=kind, **answer)
        resources = {"/": self._root(api_id)}
        for path, methods in swagger["paths"].items():
            resource = self._resource(api_id, path, resources)
            for method, operation in methods.items():
                if method in _METHODS:
                    self._method(api_id, resource, method.upper(), operation, authorizers)

    def _resource(self, api_id: str, path: str, resources: dict[str, str]) -> str:
        prefix = ""
        parent = resources["/"]
        for part in path.strip("/").split("/") if path != "/" else []:
            prefix = f"{prefix}/{part}"
            if prefix not in resources:
                resources[prefix] = self._client("apigateway").create_resource(
                    restApiId=api_id, parentId=parent, pathPart=part
                )["id"]
            parent = resources[prefix]
        return parent

    def _method(
        self, api_id: str, resource: str, method: str, operation: Swagger, authorizers: Swagger
    ) -> None:
        client = self._client("apigateway")
        target = {"restApiId": api_id, "resourceId": resource, "httpMethod": method}
        authorizer = next(
            (authorizers[name] for item in operation.get("security", []) for name in item), None
        )
        if authorizer:
            client.put_method(
                **target, authorizationType="COGNITO_USER_POOLS", authorizerId=authorizer
            )
        else:
            client.put_method(**target, authorizationType="NONE")
        integration = operation["x-amazon-apigateway-integration"]
        client.put_integration(
            **target,
            type=integration["type"].upper(),
            integrationHttpMethod="POST",
            uri=integration.get("uri", ""),
        )
