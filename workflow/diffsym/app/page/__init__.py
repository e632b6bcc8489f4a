"""The local page of `diffsym serve`: files of patterns dropped, answers shown."""
