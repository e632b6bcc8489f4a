"""The page that shows a study: its figures, its sections, and their inputs."""
