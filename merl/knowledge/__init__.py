"""The open ECG knowledge base: entries, the passages cut from them, and the index that finds them."""
