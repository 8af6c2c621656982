"""Customers of the exchange: who they are, what they are owed, and how balances move between them."""
