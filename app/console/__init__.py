"""The console: web pages for operators, which send the same messages as the API.

Pages are rendered on the server, and updated by event streams. Imports the framework, and Jinja.

console     what is served, put together
session     signing in and out, and the forms of a signed-in browser
pages       how a page is made of a template, and what it says when something is refused
live        how a page that is open is kept up to date
sampling    how the lag and the log moved in the last minutes
findings    what needs attention, the most urgent first
"""

from app.console.console import Console

__all__ = ["Console"]
