"""What agents do and see."""
