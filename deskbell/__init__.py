"""What programs use of Deskbell: `deskbell.client` calls its API."""
