"""Every port in memory: for tests, trials and learning; nothing outlives the process."""
