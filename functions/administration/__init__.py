"""The function that carries out what administrators ask for on the workbench's pages.

Each module has the acts of one subject, declared with the roles that may carry them out (`acts`).
They need rights that the API's function has not: the user pool, quarantined mail, playbooks, an
erasure. The console calls the same modules with an operator's rights.

May import `functions.core`.
"""
