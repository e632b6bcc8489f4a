"""What people type: the command `diffsym`."""
