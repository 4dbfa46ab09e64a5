"""Money fields, currencies and dated rates."""
