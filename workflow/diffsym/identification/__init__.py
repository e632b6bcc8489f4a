"""What a measured pattern may be: the evidence of known structures."""
