"""Wire formats of outside systems, one folder each: a client fetches, ``parse`` is pure, modules pull from them."""
