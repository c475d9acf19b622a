"""The machinery: it knows no bounded context and no driver."""
