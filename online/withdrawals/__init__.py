"""Withdrawals of customers: accepted under a mandate, gathered into orders, paid or given back, each exactly once."""
