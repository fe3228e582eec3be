"""Whether an environment can run loads: one check per thing that loads need, which changes nothing."""
