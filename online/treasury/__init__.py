"""What the house's own wallets should hold, and which orders would bring them there."""
