"""The tau retail benchmark's db.json."""
