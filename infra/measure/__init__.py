"""What `make bench` measures: imports, the package, capacity units, the sweep, waiting times."""
