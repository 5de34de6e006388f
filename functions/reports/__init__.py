"""The reports: completes the facts of each desk, and writes the reports of periods that ended."""
