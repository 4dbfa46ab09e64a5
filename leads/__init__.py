"""Leads: unproven interest, until it is converted into a counterparty, a contact and a deal."""
