"""`deskbell-<stage>-search_index`: puts what the journal says into each desk's segments, from which
the workbench searches tickets. May import `functions.core` only."""
