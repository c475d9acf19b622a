"""`projections`: the commands of those who operate projections."""
