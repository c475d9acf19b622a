"""The routes of the machinery: one module per resource."""
