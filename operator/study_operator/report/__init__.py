"""Reports: what a study teaches, on a terminal, as a page, and for the record of experiments. Pure."""
