"""What all pages share: templates, static files, and the headers that make them safe (H8)."""
