"""Wire schemas: one module per resource, with separate schemas for requests and responses."""
