"""Fixed width: each line is a record, whose fields have their places in it."""

from framework.rows.formats.fixed.look import FixedFiles

FORMAT = FixedFiles()
