"""What a real browser makes of our Content-Security-Policy beside the app's own, and what it reports."""
