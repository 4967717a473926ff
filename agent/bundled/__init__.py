"""The bundled planner: a small decoder, trained by this project, that plans without a download."""
