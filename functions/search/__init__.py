"""The texts that agents search: each desk's segments, made from what the journal names.

`indexing` writes, merges and rewrites them; the workbench reads them.

May import `functions.core`.
"""
