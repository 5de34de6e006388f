"""The customers' pages beside that of a ticket's status; `functions.portal.routing` finds them."""
