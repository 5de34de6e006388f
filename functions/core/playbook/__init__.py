"""Loading a playbook from YAML and checking it: `load`.

`loader` reads the file, `explain` words the errors of the model, `references` and `checks` find
what the model alone cannot. May import `domain` and `text`. Deployed functions read stored
playbooks with `Playbook.stored`, and import this package only to check a change.
"""

from functions.core.playbook.loader import load

__all__ = ["load"]
