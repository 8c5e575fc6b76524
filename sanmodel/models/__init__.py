"""The networks of the paper's section 2.2, one file each."""
