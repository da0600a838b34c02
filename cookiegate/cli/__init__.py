"""cookiegate demo | init | check | scan | visits | purge: what an operator does at a terminal."""
