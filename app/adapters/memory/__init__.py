"""Every port in memory, for tests and experiments; nothing outlives the process."""
