"""The HTTP side of the machinery: the application, operations, problems, middleware.

A context declares its operations on a `Resource` (`resources`). Each becomes an endpoint
(`endpoints`) that turns a request into a message, sends it, and turns the result into an answer.
Within the machinery only this package imports FastAPI.
"""
