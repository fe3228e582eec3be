"""The tests of feeds: one is run as loads of given files, and compared with what its owner expects."""
