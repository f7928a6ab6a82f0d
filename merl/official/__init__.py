"""The files of the published MERL (arXiv 2403.06659): read, written and described."""
