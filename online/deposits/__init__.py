"""Deposits of customers: where they pay, what arrived, and whose it is. What cannot be attributed waits, visibly."""
