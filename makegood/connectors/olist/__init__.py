"""The Olist marketplace sample: four files in a folder."""
