"""`python -m infra.bench`."""

from infra.bench.budgets import main

main()
