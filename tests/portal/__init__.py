"""What customers see and may add."""
