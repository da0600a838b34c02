"""The contract, written down as law: nothing in here looks behind the public names."""
