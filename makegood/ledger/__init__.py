"""Units and money by double entry; only this module touches its tables."""
