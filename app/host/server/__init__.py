"""The HTTP server: sockets, connections, and requests on them."""
