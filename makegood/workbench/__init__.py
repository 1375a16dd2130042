"""What staff keep for their own work: keys, who looks at what, replies that can still be taken back, macros."""
