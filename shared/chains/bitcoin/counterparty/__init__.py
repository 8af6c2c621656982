"""Counterparty: a layer of meaning on Bitcoin transactions. Pure; it decodes wholly or refuses, and never repairs."""
