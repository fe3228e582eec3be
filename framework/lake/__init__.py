"""The lake in S3: listing, describing, moving and putting objects."""
