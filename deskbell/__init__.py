"""Programs' access to Deskbell: `deskbell.client` calls its API."""
