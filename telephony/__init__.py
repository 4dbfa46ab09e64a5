"""Telephony: connections to exchanges and providers, calls and their legs, who calls, and what came of it."""
