"""Makes what is put on AWS."""
