"""Facts and dated, cited tables in; typed remedies and refusals out. Pure."""
