"""The rules of `docs/architecture.md` about imports, size and tests, checked against the source."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.sources import parsed

# One worker reads the sources for all of them.
pytestmark = pytest.mark.xdist_group("sources")
ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"
INFRA = ROOT / "infra"
TESTS = ROOT / "tests"
SOURCES = sorted(FUNCTIONS.rglob("*.py"))
CORE_SOURCES = sorted((FUNCTIONS / "core").rglob("*.py"))
PURE_SOURCES = [
    path for layer in ("domain", "text") for path in (FUNCTIONS / "core" / layer).rglob("*.py")
]
INFRA_SOURCES = sorted(INFRA.rglob("*.py"))
TEST_SOURCES = sorted(TESTS.rglob("*.py"))
PACKAGES = (
    "administration", "answers", "assistant", "intake", "language_model", "router", "sla_timer",
    "notify", "survey", "portal", "workbench", "unseal", "search", "reports", "fetcher",
)  # fmt: skip
"""The packages of deployed functions."""

CORE = {
    "domain": {"domain"},
    "text": {"domain", "text"},
    "mail": {"mail"},
    "playbook": {"domain", "text", "playbook"},
    "knowledge": {"domain", "text", "playbook", "knowledge"},
    "reports": {"domain", "text", "reports"},
    "storage": {"domain", "text", "playbook", "reports", "storage"},
    "channels": {"domain", "text", "playbook", "channels"},
    "services": {"domain", "text", "playbook", "reports", "storage", "channels", "services"},
    "platform": {
        "domain", "text", "playbook", "reports", "storage", "channels", "services", "platform",
    },
    "pages": {"domain", "text", "platform", "pages"},
    "deliver": {"domain", "text", "channels", "platform", "deliver"},
    "assistant": {
        "domain", "text", "storage", "channels", "services", "platform", "deliver", "assistant",
    },
    "receive": {
        "domain", "text", "storage", "channels", "services", "platform", "deliver", "assistant",
        "receive",
    },
}  # fmt: skip
"""Layer of core → the layers that it may import. Clients reach `services` as arguments."""


TOOLS = {
    "deploy": {"deploy"},
    "console": {"deploy", "console"},
    "simulator": {"deploy", "simulator"},
    "local": {"deploy", "console", "local"},
    "answers": {"console", "answers"},
    "bench": {"answers", "deploy", "console", "simulator", "local", "bench"},
}
"""Package of infra → the packages that it may import at module level."""

IMPURE_CALLS = re.compile(
    r"\b(?:datetime|date)\.(?:now|utcnow|today)\(|(?<!\.)\bopen\("
    r"|import urllib\.request|from urllib import"
)
IMPURE = {
    "asyncio", "boto3", "botocore", "chalice", "http", "logging", "os", "pathlib", "random",
    "secrets", "shutil", "socket", "subprocess", "sys", "tempfile", "threading", "time", "urllib3",
}  # fmt: skip
"""Modules that a pure layer does without: network, files, processes, clock, environment."""

PATCH_PREFIX = "moto."
"""The beginning of a patch target inside moto."""
WHOLE = {"desks", "docs", "e2e", "faults", "infra", "inprocess", "pages"}
"""Folders of tests that concern no single function."""
TESTED_IN_PROCESS = {"assistant", "unseal"}
"""Functions whose tests need the events of others: `tests/inprocess`."""

LONG = 600
LONGER: dict[str, str] = {
    "infra/bench/budgets.py": "the table of all budgets, a function per section",
}
"""Modules over `LONG` lines → the reason."""


def imports(tree: ast.AST, *, nested: bool = True, types: bool = True) -> Iterator[str]:
    """The modules that a file imports.

    Args:
        nested: include imports inside functions.
        types: include imports for type checkers only.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            if types:
                yield from imports(node, nested=nested, types=types)
        elif nested or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from imports(node, nested=nested, types=types)


def package_of(path: Path, root: Path) -> str:
    parts = path.relative_to(root).parts
    return parts[0] if len(parts) > 1 else ""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.requirement("F10")
def test_functions_holds_core_and_one_package_per_function() -> None:
    packages = {path.name for path in FUNCTIONS.iterdir() if (path / "__init__.py").exists()}
    assert packages == {"core", *PACKAGES}


def test_functions_import_core_and_themselves_and_nothing_imports_infra() -> None:
    for path in SOURCES:
        allowed = {"core", package_of(path, FUNCTIONS)}
        for module in imports(parsed(path)):
            top, *rest = module.split(".")
            assert top not in {"infra", "tests", "app"}, f"{name_of(path)} imports {module}"
            if top == "functions" and rest:
                assert rest[0] in allowed, f"{name_of(path)} imports {module}"


def test_the_layers_of_core_import_downwards() -> None:
    for path in CORE_SOURCES:
        layer = package_of(path, FUNCTIONS / "core")
        for module in imports(parsed(path)):
            parts = module.split(".")
            if parts[:2] == ["functions", "core"] and len(parts) > 2 and parts[2] in CORE:
                assert parts[2] in CORE.get(layer, ()), f"{name_of(path)} imports {module}"


def test_domain_and_text_are_pure() -> None:
    for path in PURE_SOURCES:
        for module in imports(parsed(path)):
            assert module.split(".")[0] not in IMPURE, f"{name_of(path)} imports {module}"
        impure = IMPURE_CALLS.search(path.read_text("utf-8"))
        assert not impure, f"{name_of(path)}: time and input are passed in"


def test_infra_packages_import_in_one_direction() -> None:
    for path in INFRA_SOURCES:
        package = package_of(path, INFRA)
        for module in imports(parsed(path), nested=False, types=False):
            parts = module.split(".")
            if parts[0] == "infra" and len(parts) > 1 and parts[1] in TOOLS:
                assert parts[1] in TOOLS.get(package, ()), f"{name_of(path)} imports {module}"


def test_production_tools_never_import_the_simulator_or_the_bench() -> None:
    for package in ("deploy", "console", "local"):
        for path in (INFRA / package).rglob("*.py"):
            for module in imports(parsed(path)):
                wrong = module.startswith(("infra.simulator", "infra.bench"))
                assert not wrong, f"{name_of(path)} imports {module}"


def test_no_modules_import_each_other() -> None:
    paths = [*SOURCES, *INFRA_SOURCES]
    modules = {module_of(path) for path in paths}
    graph = {
        module_of(path): {
            module
            for module in imports(parsed(path), nested=False, types=False)
            if module in modules and not module_of(path).startswith(module)
        }
        for path in paths
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a cycle: {' → '.join(error.args[1])}")


def test_only_handlers_know_chalice() -> None:
    for path in SOURCES:
        knows = any(module.split(".")[0] == "chalice" for module in imports(parsed(path)))
        if knows and path not in CORE_SOURCES:
            assert path.name.endswith(("handler.py", "authorizer.py", "_routes.py")), name_of(path)


def test_a_handler_is_thin() -> None:
    for path in [*FUNCTIONS.glob("*/handler.py"), *FUNCTIONS.glob("*/*_routes.py")]:
        lines = len(path.read_text("utf-8").splitlines())
        assert lines <= 150, f"a rule is hiding in {name_of(path)}"


def test_core_imports_without_boto3_and_chalice() -> None:
    """Only `platform/web.py` imports Chalice at the top, because only the HTTP API imports it."""
    for path in CORE_SOURCES:
        top = {module.split(".")[0] for module in imports(parsed(path), nested=False, types=False)}
        allowed = {"chalice"} if path.name == "web.py" else set()
        assert not top & {"boto3", "chalice"} - allowed, name_of(path)


def test_a_module_has_one_concept() -> None:
    """A longer one has its reason in `LONGER`."""
    for path in [*SOURCES, *INFRA_SOURCES]:
        lines = len(path.read_text("utf-8").splitlines())
        assert lines <= LONG or name_of(path) in LONGER, f"{name_of(path)}: {lines} lines"


def test_every_package_says_what_it_is_for() -> None:
    packages = [
        path
        for name in ("functions", "infra", "tests")
        for path in (ROOT / name).rglob("__init__.py")
    ]
    assert len(packages) > len(PACKAGES)
    assert not [path for path in packages if not ast.get_docstring(parsed(path))]


def test_only_moto_internals_uses_internals_of_moto() -> None:
    """Other tests import `mock_aws` from `moto`; patch targets are strings."""
    for path in TEST_SOURCES:
        if path == TESTS / "moto_internals.py":
            continue
        tree = parsed(path)
        used = {module for module in imports(tree) if module.startswith("moto")}
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        used |= {text for text in texts if isinstance(text, str) and text.startswith(PATCH_PREFIX)}
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        used |= {name for name in names if name.endswith("_backends")}
        assert used <= {"moto", "moto.mock_aws", PATCH_PREFIX}, f"{name_of(path)} uses {used}"


def test_no_test_module_uses_private_names_of_another() -> None:
    modules = {module_of(path) for path in TEST_SOURCES}
    for path in TEST_SOURCES:
        tree = parsed(path)
        of_tests = {module for module in imports(tree) if module.startswith("tests.")}
        private = {module for module in of_tests if module.rpartition(".")[2].startswith("_")}
        imported = {module.rpartition(".")[2] for module in of_tests & modules}
        private |= {
            ast.unparse(node)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and node.attr.startswith("_")
            and ast.unparse(node.value) in imported
        }
        assert not private, f"{name_of(path)} uses {private}"


QUARTER = Path("reports/quarter")
"""The simulated quarter, by which reports are computed a second time."""


def test_the_folders_of_tests_mirror_functions() -> None:
    folders = {path.name for path in TESTS.iterdir() if (path / "__init__.py").exists()}
    assert folders == {"core", *PACKAGES} - TESTED_IN_PROCESS | WHOLE
    for path in TEST_SOURCES:
        folder = path.parent.relative_to(TESTS)
        if folder.parts and folder.parts[0] not in WHOLE:
            found = (FUNCTIONS / folder).is_dir() or folder == QUARTER
            assert found, f"{name_of(path)} mirrors no package"
    assert {path.name for path in (TESTS / "core").iterdir() if path.is_dir()} >= set(CORE)


def test_a_class_name_means_one_thing() -> None:
    paths: dict[str, str] = {}
    for path in [*SOURCES, *INFRA_SOURCES]:
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef):
                assert node.name not in paths, f"{node.name}: {paths[node.name]}, {name_of(path)}"
                paths[node.name] = name_of(path)
