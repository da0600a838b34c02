"""cookiegate demo | init | check: what an operator does at a terminal."""
