"""The commands of `deskbell`, one module per noun; each imports what it needs when it runs."""
