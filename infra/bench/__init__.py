"""What `make bench` measures, and the prices it computes with."""
