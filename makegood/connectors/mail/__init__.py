"""Mail: reading raw messages (pure), sorting them, writing ours, and fetching from a mailbox."""
