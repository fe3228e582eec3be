"""Fixed width: each line is a record, whose fields are told apart by their places."""

from framework.rows.formats.fixed.look import FixedFiles

FORMAT = FixedFiles()
