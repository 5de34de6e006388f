"""The foundation's resources with data alone, as a template that can import them into a new stack.

`python -m infra.deploy.retained > retained.json`; docs/operations.md, "After a failed creation".
"""

import json
import sys
from typing import Any

from infra.deploy.stacks import load_template
from infra.deploy.steps import INFRA

KEPT = "RetainExceptOnCreate"


def retained(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template with only the resources that outlive their stack.

    An import may contain only resources that exist, and no outputs.
    """
    resources = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource.get("DeletionPolicy") == KEPT
    }
    return {
        **{key: value for key, value in template.items() if key != "Outputs"},
        "Resources": resources,
    }


def main() -> None:
    template = retained(load_template(INFRA / "templates" / "foundation.yaml"))
    json.dump(template, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
