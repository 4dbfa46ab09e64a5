"""Activities: calls, meetings and letters, planned and done, on the cards they belong to."""
