"""What stands behind the ports: one folder a storage, and what all of them share."""
