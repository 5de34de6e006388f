"""What a request is about and whose it is."""
