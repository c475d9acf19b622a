"""The HTTP server: uvicorn, with limits for connections and requests."""
