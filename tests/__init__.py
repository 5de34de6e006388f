"""What proves Deskbell; the folders mirror `functions/`."""
