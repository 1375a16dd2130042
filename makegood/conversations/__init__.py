"""Words to and from people over every channel; so far the letters that go out."""
