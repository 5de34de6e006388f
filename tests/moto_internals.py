"""The only module that uses private members of moto and botocore.

moto has no public way to list or copy its backends, to list the sent messages or to choose a key's
material, and it repeats expensive work for every call and every test. The patches cache that work
for the process; responses do not change.
"""

import copyreg
import os
import sys
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from copy import copy, deepcopy
from functools import cache
from threading import Condition
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient
from botocore.hooks import NodeList
from botocore.loaders import JSONFileLoader, Loader
from botocore.model import Shape
from botocore.parsers import create_parser
from botocore.useragent import UserAgentString
from botocore.utils import parse_timestamp
from joserfc.jwk import RSAKey
from moto.core.base_backend import BackendDict
from moto.core.models import DEFAULT_ACCOUNT_ID, botocore_stubber
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.serialize import JSONSerializer
from moto.core.utils import method_names_from_class, unix_time
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing import expressions
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler
from moto.s3.models import FakeKey
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends
from moto.ssm.models import ParameterDict
from werkzeug.exceptions import HTTPException


def services() -> list[BackendDict[Any]]:
    """Return the backends of every service that was used."""
    return list(BackendDict._instances)  # type: ignore[misc]


def sent_mails(account: str = "123456789012", region: str = "us-east-1") -> list[Any]:
    """Return the mails that SES accepted; no API call of moto lists them."""
    return list(ses_backends[account][region].sent_messages)


def sent_texts(account: str = "123456789012", region: str = "us-east-1") -> list[tuple[str, str]]:
    """Return the phone number and text of every SMS that SNS accepted."""
    return [(number, text) for number, text in sns_backends[account][region].sms_messages.values()]


@contextmanager
def kms_key(key_id: str, material: bytes) -> Iterator[None]:
    """Give the keys that KMS creates this id and material, so that recorded data can be decrypted.

    KMS itself imports material only into keys of another kind.
    """
    with (
        patch("moto.kms.models.generate_key_id", lambda *_: key_id),
        patch("moto.kms.models.generate_master_key", lambda: material),
    ):
        yield


def _reduce_parameters(parameters: Any) -> Any:
    arguments = (parameters.account_id, parameters.region_name)
    return ParameterDict, arguments, None, None, iter(parameters.items())


# Snapshots copy the backends, in which these two cannot be copied.
copyreg.pickle(Condition, lambda _lock: (Condition, ()))
copyreg.pickle(ParameterDict, _reduce_parameters)


@contextmanager
def undisposed() -> Iterator[None]:
    """Keep copies of objects of S3 that are made meanwhile: moto empties those that it knows."""
    keys: Any = FakeKey
    known = list(keys.instances_tracked)
    yield
    keys.instances_tracked[:] = known


@contextmanager
def untraced() -> Iterator[None]:
    """Suspend coverage tracing, which slows everything down."""
    here, in_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        sys.settrace(here)
        threading.settrace(in_threads)


_call: Callable[..., Any] = vars(BaseClient)["_make_api_call"]


_one_at_a_time = threading.RLock()


def _make_api_call(self: BaseClient, operation: str, given: Any) -> Any:
    """Call AWS in memory untraced: it runs none of the product's code.

    Calls of several threads follow each other: moto undoes a transaction by restoring a copy.
    """
    if not botocore_stubber.enabled:
        return _call(self, operation, given)
    call = _call_table if operation in DIRECT else _call
    with _one_at_a_time:
        if sys.gettrace() is None:
            return call(self, operation, given)
        with untraced():
            return call(self, operation, given)


DIRECT = {
    "BatchGetItem": "batch_get_item",
    "BatchWriteItem": "batch_write_item",
    "DeleteItem": "delete_item",
    "GetItem": "get_item",
    "GetRecords": "get_records",
    "PutItem": "put_item",
    "Query": "query",
    "Scan": "scan",
    "TransactGetItems": "transact_get_items",
    "TransactWriteItems": "transact_write_items",
    "UpdateItem": "update_item",
}
"""The calls to tables and their streams, nine of ten calls, and moto's methods for them."""


class _Answer:
    """The HTTP response to a direct call, as listeners see it."""

    def __init__(self, status_code: int) -> None:
        self.status_code = status_code


def _call_table(self: BaseClient, operation: str, given: Any) -> Any:
    """Call moto's method for an operation on a table without HTTP between the client and moto.

    botocore checks and serializes the parameters as ever and tells the same listeners; signing,
    routing, and writing and parsing the HTTP response are left out.
    """
    client: Any = self
    model = client.meta.service_model.operation_model(operation)
    context: dict[str, Any] = {"client_region": client.meta.region_name}
    given = client._emit_api_params(given, model, context)
    request = client._serializer.serialize_to_request(given, model)
    request["context"] = context
    name = f"{client.meta.service_model.service_id.hyphenize()}.{operation}"
    told = {"model": model, "context": context}
    _, answered = client.meta.events.emit_until_response(
        f"before-call.{name}", params=request, request_signer=client._request_signer, **told
    )
    http, parsed = answered or _answer(client, model, request["body"])
    client.meta.events.emit(f"after-call.{name}", http_response=http, parsed=parsed, **told)
    if http.status_code >= 300:
        raise client.exceptions.from_code(parsed.get("Error", {}).get("Code"))(parsed, operation)
    return parsed


def _answer(client: Any, model: Any, body: bytes) -> tuple[_Answer, Any]:
    streams = model.name == "GetRecords"
    handler: Any = DynamoDBStreamsHandler() if streams else DynamoHandler()
    handler.region, handler.current_account = client.meta.region_name, DEFAULT_ACCOUNT_ID
    handler.automated_parameter_parsing, handler.uri_match = True, {}
    parser: Any = PROTOCOL_PARSERS["json"](model, map_type=handler.PROTOCOL_PARSER_MAP_TYPE)
    request = {"method": "POST", "values": {}, "headers": {}, "url_path": "/", "url_params": {}}
    handler.params = handler.body = parser.parse({**request, "body": body})
    try:
        result = getattr(handler, DIRECT[model.name])().result
    except HTTPException as error:
        status, text = error.code or 0, error.description or ""
        response: Any = {"body": text.encode(), "headers": {}, "status_code": status}
        error_parser: Any = create_parser("json")
        parsed = error_parser.parse(response, model.output_shape)
        client._endpoint._add_modeled_error_fields(response, parsed, model, error_parser)
        return _Answer(status), parsed
    metadata = {"RequestId": "direct", "HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}
    return _Answer(200), {**_converter(model.output_shape)(result), "ResponseMetadata": metadata}


@cache
def _converter(shape: Any) -> Callable[[Any], Any]:
    """Return a function that makes of moto's result what botocore reads from its response."""
    kind = shape.type_name
    if kind == "structure":
        return _structure_converter(shape)
    if kind == "list":
        return lambda value: [_converter(shape.member)(inner) for inner in value]
    if kind == "map":
        return lambda value: {name: _converter(shape.value)(inner) for name, inner in value.items()}
    if kind == "timestamp":
        return lambda value: parse_timestamp(str(unix_time(value)))
    if kind == "blob":
        return lambda value: value if isinstance(value, bytes) else value.encode()
    return str if kind == "string" else lambda value: value


def _structure_converter(shape: Any) -> Callable[[Any], Any]:
    members: dict[str, Shape] = dict(shape.members)

    def convert(value: Any) -> Any:
        assert type(value) is dict, f"{shape.name}: {value!r}"
        return {
            name: _converter(members[name])(inner)
            for name, inner in value.items()
            if inner is not None and name in members
        }

    return convert


_read = JSONFileLoader.load_file
_kept: dict[str, Any] = {}


def _load_file(self: JSONFileLoader, file_path: str) -> Any:
    """Read AWS's service descriptions, megabytes of JSON, once per process instead of per test."""
    if file_path not in _kept:
        _kept[file_path] = _read(self, file_path)
    return _kept[file_path]


_import_key = RSAKey.import_key
_keys: dict[str, Any] = {}


def _read_key(value: Any) -> Any:
    """Read the key that signs the tokens of every user pool once per process."""
    if repr(value) not in _keys:
        _keys[repr(value)] = _import_key(value)
    return _keys[repr(value)]


_list = Loader.list_available_services
_listed: dict[str, Any] = {}


def _list_available_services(self: Loader, type_name: str) -> Any:
    """List the folders of service descriptions once per process."""
    if type_name not in _listed:
        _listed[type_name] = _list(self, type_name)
    return _listed[type_name]


def _snapshot(table: Any, _memo: Any) -> Any:
    """Copy a table, which moto does to roll back a transaction, without copying its stream records.

    Stream records never change, so a copy of their list is enough. Of the items, only agents,
    the versions of knowledge bases and the sums of language models are changed in place; all others
    are replaced.
    """
    kept = object.__new__(type(table))
    kept.__dict__.update(table.__dict__)
    kept.items = type(table.items)(dict)
    for partition, items in table.items.items():
        updated = partition.value.startswith(("DESK#", "KNOWLEDGE#", "MODEL#"))
        kept.items[partition] = deepcopy(items) if updated else dict(items)
    if table.stream_shard is not None:
        kept.stream_shard = copy(table.stream_shard)
        kept.stream_shard.table = kept
        kept.stream_shard.items = list(table.stream_shard.items)
    return kept


_serialize_structure = JSONSerializer._serialize_type_structure


def _serialize_type_structure(
    self: JSONSerializer, serialized: Any, value: Any, shape: Any, key: str
) -> None:
    """Serialize only the one type that a DynamoDB attribute has; looking for the nine others took a
    third of the time spent in moto."""
    if shape.name == "AttributeValue" and type(value) is dict:
        of_its_type: dict[str, Any] = {}
        for name, inner in value.items():
            self._serialize(of_its_type, inner, shape.members[name], name)
        self._default_serialize(serialized, of_its_type, shape, key)
    else:
        _serialize_structure(self, serialized, value, shape, key)


_cast = DynamoType.cast_value


def _cast_value(self: DynamoType) -> Any:
    """Return strings, half of all compared values, without conversion."""
    return self.value if self.type == "S" else _cast.__get__(self)


_new_client: Callable[..., Any] = boto3.client
_clients: dict[Hashable, Any] = {}


def _client(*names: str, config: Any = None, **options: str) -> Any:
    """Create one client per process and environment, and return a copy with its own listeners."""
    if not botocore_stubber.enabled:
        return _new_client(*names, config=config, **options)
    about = sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))
    key = (names, repr(vars(config)) if config else "", *sorted(options.items()), *about)
    if key not in _clients:
        _clients[key] = _new_client(*names, config=config, **options)
    found = object.__new__(type(_clients[key]))
    found.__dict__.update(_clients[key].__dict__)
    found.meta = copy(found.meta)
    found.meta.events = copy(found.meta.events)
    return found


_written: dict[Hashable, str] = {}
_write_user_agent = UserAgentString.to_string


def _user_agent(self: UserAgentString) -> str:
    """Write a client's User-Agent header once instead of for each call."""
    config: Any = vars(self)["_client_config"]
    about = (id(config), getattr(config, "user_agent_appid", None))
    if about not in _written:
        _written[about] = _write_user_agent(self)
    return _written[about]


def _copy_listeners(self: Any, node: dict[str, Any]) -> dict[str, Any]:
    """Copy a client's listeners; botocore's own copy calls several functions for each of them."""
    copied: dict[str, Any] = {}
    for name, value in node.items():
        if type(value) is dict:
            value = _copy_listeners(self, value)
        elif type(value) is NodeList:
            value = NodeList(list(value.first), list(value.middle), list(value.last))
        copied[name] = value
    return copied


def install(patches: pytest.MonkeyPatch) -> None:
    """Patch moto and botocore for every test of this process."""
    patches.setattr(JSONFileLoader, "load_file", _load_file)
    patches.setattr(Loader, "list_available_services", _list_available_services)
    patches.setattr(Table, "__deepcopy__", _snapshot, raising=False)
    patches.setattr(JSONSerializer, "_serialize_type_structure", _serialize_type_structure)
    patches.setattr(DynamoType, "cast_value", property(_cast_value))
    parser = vars(expressions)["UpdateExpressionParser"]
    patches.setattr(parser, "make", cache(parser.make))
    patches.setattr("moto.core.responses.method_names_from_class", cache(method_names_from_class))
    patches.setattr(RSAKey, "import_key", _read_key)
    patches.setattr(boto3, "client", _client)
    patches.setattr(UserAgentString, "to_string", _user_agent)
    patches.setattr("botocore.hooks._PrefixTrie._recursive_copy", _copy_listeners)
    patches.setattr(BaseClient, "_make_api_call", _make_api_call)
