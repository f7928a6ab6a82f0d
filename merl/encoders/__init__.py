"""Encoders: 1-D networks for the ECG and transformers for the text."""
