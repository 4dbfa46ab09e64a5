"""Pages of counterparties and contacts."""
