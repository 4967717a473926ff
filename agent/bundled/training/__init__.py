"""How the bundled planner is trained: data, model, training, export. Needs the extra `train`."""
