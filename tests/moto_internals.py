"""The only module that uses private members of moto and botocore.

moto has no public way to list or copy its backends, to list the sent messages or to choose a key's
material, and it repeats expensive work for every call and every test. The patches cache that work
for the process; responses do not change.
"""

from __future__ import annotations

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
from botocore.useragent import UserAgentString
from moto.core.base_backend import BackendDict
from moto.core.models import botocore_stubber
from moto.core.serialize import JSONSerializer
from moto.core.utils import method_names_from_class
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.ses.models import ses_backends
from moto.sns.models import sns_backends
from moto.ssm.models import ParameterDict


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
    with _one_at_a_time:
        if sys.gettrace() is None:
            return _call(self, operation, given)
        with untraced():
            return _call(self, operation, given)


_read = JSONFileLoader.load_file
_kept: dict[str, Any] = {}


def _load_file(self: JSONFileLoader, file_path: str) -> Any:
    """Read AWS's service descriptions, megabytes of JSON, once per process instead of per test."""
    if file_path not in _kept:
        _kept[file_path] = _read(self, file_path)
    return _kept[file_path]


_list = Loader.list_available_services
_listed: dict[str, Any] = {}


def _list_available_services(self: Loader, type_name: str) -> Any:
    """List the folders of service descriptions once per process."""
    if type_name not in _listed:
        _listed[type_name] = _list(self, type_name)
    return _listed[type_name]


def _snapshot(table: Any, _memo: Any) -> Any:
    """Copy a table, which moto does to roll back a transaction, without copying its stream records.

    Stream records never change, so a copy of their list is enough. Of the items, only agents and
    the versions of knowledge bases are changed in place; all others are replaced.
    """
    kept = object.__new__(type(table))
    kept.__dict__.update(table.__dict__)
    kept.items = type(table.items)(dict)
    for partition, items in table.items.items():
        updated = partition.value.startswith(("DESK#", "KNOWLEDGE#"))
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
    patches.setattr("moto.core.responses.method_names_from_class", cache(method_names_from_class))
    patches.setattr(boto3, "client", _client)
    patches.setattr(UserAgentString, "to_string", _user_agent)
    patches.setattr("botocore.hooks._PrefixTrie._recursive_copy", _copy_listeners)
    patches.setattr(BaseClient, "_make_api_call", _make_api_call)
