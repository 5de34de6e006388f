"""A simulated quarter: a table in memory, a generator, and figures computed a second time."""
