"""Counterparties of several types, the people we know there, and how duplicates among them are told."""
