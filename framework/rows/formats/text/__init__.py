"""What formats of text have in common: encoding, streams of text, footers, and the reader of splits."""
