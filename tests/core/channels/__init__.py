"""Chat adapters: each provider from its own side (`sides`), and its calls, a folder each."""
