"""Measures the budgets of `make bench`. May import everything; nothing else imports it."""
