"""What a message wants, in Chinese and English: cues and a small model, trained from sentences that lie here."""
