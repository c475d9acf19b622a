"""The routes: one module a resource, each a function of what its endpoints need."""
