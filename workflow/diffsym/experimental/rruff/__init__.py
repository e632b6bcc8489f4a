"""Measured powder patterns of the RRUFF project: its archives fetched, audited and labelled."""
