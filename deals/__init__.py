"""Deals, requests to move them, and the ledger of committed moves."""
