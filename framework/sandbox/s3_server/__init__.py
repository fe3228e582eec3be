"""An S3 server of the sandbox's own, over plain folders: a bucket is a folder, an object a file.

A file dropped into a bucket's folder is an object immediately, because nothing is cached but what was
computed of a file's content. It runs in a process of its own.
"""
