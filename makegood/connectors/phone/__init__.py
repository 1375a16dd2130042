"""Events of call centres: our own signed format and Twilio's, read into one shape."""
