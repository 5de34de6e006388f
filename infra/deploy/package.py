"""Complete the Lambda package that Chalice builds.

It gets bytecode, loses what no function reads, and has the same bytes whenever it is built from the
same files, so that a deployment without a change leaves the functions as they are.

Lambda's disk is read-only: without bytecode in the package, every cold start compiles all that it
imports. Bytecode of everything would not fit into 15 MB, so only modules that the functions import,
at their start or later, have it.
"""

import functools
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

from chalice.deploy.packager import LambdaDeploymentPackager

_UNUSED = (
    "*/__pycache__/*",  # of the machine that deploys; its own is added below
    "*.pyi",
    "*.dist-info/RECORD",  # for who uninstalls
    # Parts of packages that nothing imports; `cffi` only builds what cryptography ships built.
    "aws_lambda_powertools/event_handler/*",
    *(
        f"aws_lambda_powertools/utilities/{part}/*"
        for part in (
            "auth_alpha",
            "batch",
            "circuit_breaker",
            "data_classes",
            "feature_flags",
            "idempotency",
            "kafka",
            "parameters",
            "parser",
        )
    ),
    "cffi/*",
    "pycparser/*",
    "pydantic/mypy.py",
    "pydantic/v1/*",
    "yaml/_yaml*",  # parsing in C, which is for the tests
    # What boto3 needs, Lambda's runtime has beside it.
    "dateutil/*",
    "jmespath/*",
    "six.py",
    "*.dist-info/sboms/*",
    # Names of holidays by language: only those of China, which say more than the date, are read.
    *(f"holidays/locale/{others}" for others in ("[!z]*", "z[!h]*", "zh_[!C]*", "zh_CN/*/[!C]*")),
    "holidays/financial/*",
    "phonenumbers/shortdata/region_*",  # numbers of emergency and other services
    # All but accounts (iban.dat).
    *("stdnum/[!i]*.dat", "stdnum/i[!b]*.dat", "stdnum/[a-z][a-z]/*", "stdnum/[a-z][a-z]_/*"),
)
_WHERE = "/var/task"
"""The folder into which Lambda unpacks a package, and which tracebacks name."""

# Prints every module that the functions import, those of imports inside a function included.
_IMPORTED = """
import ast, contextlib, importlib, pathlib, sys
sys.path[:0] = [".", "vendor"]
import app
for source in sorted(pathlib.Path("vendor/functions").rglob("*.py")):
    name = ".".join(source.relative_to("vendor").with_suffix("").parts)
    names = [name.removesuffix(".__init__")]
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    for name in names:
        # Most names of a "from" import are no modules; type stubs are not installed.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
print(*sorted(sys.modules), sep="\\n")
"""


class PackageError(RuntimeError):
    """The package would not run on Lambda."""


def complete_packages() -> None:
    """Complete every package that Chalice builds in this process."""
    build = LambdaDeploymentPackager.create_deployment_package
    if hasattr(build, "__wrapped__"):
        return

    @functools.wraps(build)
    def completed(self: LambdaDeploymentPackager, project_dir: str, python_version: str) -> str:
        package = Path(self.deployment_package_filename(project_dir, python_version))
        if not package.exists():
            build(self, project_dir, python_version)
            try:
                complete(package, Path(project_dir), python_version)
            except BaseException:
                package.unlink()  # Chalice would take it for a complete one
                raise
        return str(package)

    LambdaDeploymentPackager.create_deployment_package = completed  # type: ignore[method-assign]


def complete(package: Path, project: Path, python_version: str) -> None:
    """Rewrite a package that was built from a project's folder.

    Raises:
        PackageError: the functions will run on another Python than this one, or a requirement is
            missing.
    """
    running = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if python_version != running:
        raise PackageError(
            f"the functions run on {python_version}, whose bytecode {running} cannot write: deploy "
            f"with {python_version}"
        )
    with zipfile.ZipFile(package) as archive:
        names = {name for name in archive.namelist() if not _unused(name)}
        missing = sorted(_missing((project / "requirements.txt").read_text("utf-8"), names))
        if missing:
            raise PackageError(
                f"no wheel of {', '.join(missing)} for the architecture in .chalice/config.json"
            )
        files = _compiled(archive, sorted(names.intersection(_imported(project))))
        files |= {name: archive.read(name) for name in names}
    _write(package, files)


def _unused(name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in _UNUSED)


def _missing(requirements: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the requirements that the package does not hold: Chalice only warns of them."""
    held = {_normal(name.partition("/")[0]) for name in names}
    for line in requirements.split():
        name, _, version = line.partition("==")
        if _normal(f"{name}-{version}.dist-info") not in held:
            yield line


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(project: Path) -> Iterator[str]:
    """Yield the possible file names of the modules that the functions import.

    This environment imports them, because the package may be for another architecture.
    """
    environment = {**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "deskbell-package"}
    environment.pop("AWS_CHALICE_CLI_MODE", None)
    listed = subprocess.run(  # noqa: S603 - our own modules
        [sys.executable, "-B", "-c", _IMPORTED],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.split():
        path = name.replace(".", "/")
        yield f"{path}.py"
        yield f"{path}/__init__.py"


def _compiled(archive: zipfile.ZipFile, sources: Sequence[str]) -> dict[str, bytes]:
    """The bytecode of these sources by file name, to be run without a check of the source.

    Bytecode depends on hashes and on what its process compiled before, so a process of its own
    compiles everything in order.
    """
    with tempfile.TemporaryDirectory(prefix="deskbell-package-") as folder:
        archive.extractall(folder, sources)
        subprocess.run(  # noqa: S603 - the standard library
            [
                *(sys.executable, "-s", "-S", "-m", "compileall", "-q", "-i", "-"),
                *("--invalidation-mode", "unchecked-hash", "-s", folder, "-p", _WHERE),
            ],
            input="\n".join(f"{folder}/{name}" for name in sources),
            env={"PYTHONHASHSEED": "0"},
            text=True,
            check=True,
        )
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in Path(folder).rglob("*.pyc")
        }


def _write(package: Path, files: Mapping[str, bytes]) -> None:
    """Zip the files in order, without times and permissions of this machine."""
    draft = package.with_suffix(".draft")
    with zipfile.ZipFile(draft, "w") as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
    draft.replace(package)
