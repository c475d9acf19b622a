"""The bounded context of users: their profiles, and the rules that profiles keep.

Imports `app.mediator`, `app.eventsourcing` and `app.projecting`; no framework, no driver.
"""
