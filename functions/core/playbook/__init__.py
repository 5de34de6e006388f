"""Loading a playbook from YAML and checking it.

May import `domain` and `text`. Deployed functions read stored playbooks and never import this.
"""
