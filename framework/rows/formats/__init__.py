"""What a source file is written in."""
