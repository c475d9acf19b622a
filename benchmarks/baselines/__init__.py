"""The services that people write instead: the same resource, without commands, events or views.

asyncpg_crud  FastAPI and asyncpg: one table, a pool
motor_reads   FastAPI and motor: one collection
ceiling       FastAPI alone: what a route costs that does nothing
"""
