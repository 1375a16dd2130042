"""Ten tasks of each role, done as somebody new would do them: by what is written on the pages."""
