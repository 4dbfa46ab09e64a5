"""Sales funnels and their stages."""
