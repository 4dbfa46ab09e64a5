"""Users, departments, roles, and the visibility every record obeys."""
