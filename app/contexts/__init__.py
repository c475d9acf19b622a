"""The business: a package for each bounded context. None imports another."""
