"""5: why did it decide so? Reads all of the other stages, changes nothing."""
