"""Counterparties and contacts from spreadsheets."""
