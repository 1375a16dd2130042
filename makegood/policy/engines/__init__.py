"""The same tables as fast code: compiled Python for one row at a time, Polars for millions; both give Rulings."""
