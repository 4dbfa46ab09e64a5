"""The frame around every page: htmx helper, access, one-time form tokens, components, and the registries
through which upper areas put menu entries, card panels, home blocks and quick-create entries on lower pages.
"""
