"""The HTTP side: routes, wire schemas, problem details, headers. FastAPI lives here only.

An endpoint turns a wire schema into a message, sends it, and turns the result into a wire schema.
The contexts decide what is allowed.
"""
