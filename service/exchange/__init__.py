"""Comments in from elsewhere, and out again.

A format is one file: a generator of Records. `arrange` makes threads of them, `store` writes
those by batches and takes a whole import back, `jsonl` writes every comment out.
"""
