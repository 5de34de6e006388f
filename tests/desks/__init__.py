"""Desks that do not ship: written by docs/playbooks.md alone, as whoever runs a desk would."""
