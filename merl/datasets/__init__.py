"""Published data sets in their published layout, one file each, and the labelled tasks on them."""
