"""Arrays in, arrays out: functions with no parameters and no symmetry of their own."""
