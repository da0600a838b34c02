"""The demo shop that ``cookiegate demo`` serves."""
