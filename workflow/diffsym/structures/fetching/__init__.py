"""Fetching by the client of a database, apart from reading what was fetched.

The clients are packages of their own, which jobs that only read do without. They are imported
where they are used.
"""
