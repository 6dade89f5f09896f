"""The schema of the review's database, in the steps by which it came to be (Alembic)."""
