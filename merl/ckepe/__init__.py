"""CKEPE, clinical knowledge-enhanced prompt engineering: from a label set to a verified prompt set."""
