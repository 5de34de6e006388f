"""Reports, board and costs: what the facts mean, without any AWS call (`docs/reports.md`)."""
