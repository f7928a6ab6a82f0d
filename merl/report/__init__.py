"""What people look at: ECGs on paper and the report of a comparison."""
