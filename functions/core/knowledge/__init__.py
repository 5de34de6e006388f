"""Files of a knowledge base and their checks.

`loader` reads YAML, Markdown and CSV, `checks` finds what the model alone cannot. May import
`domain`, `text` and `playbook`. The API uses `checks` alone, so nothing is imported here: deployed
functions have no YAML.
"""
