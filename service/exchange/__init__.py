"""Comments in from elsewhere, and out again.

A format is one file: a generator of Records. `arrange` makes threads of them, `store` writes
those by batches and takes a whole import back. `jsonl`, `wxr` and `csvs` write every comment out,
some at a time (`windows`); `ours` and `csvs` read such files again.
"""
