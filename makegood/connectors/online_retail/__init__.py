"""The Online Retail invoices of the UCI repository."""
