"""JSON: one record per line, the elements of an array, or values that stand one after the other."""

from framework.rows.formats.json.look import JsonFiles

FORMAT = JsonFiles()
