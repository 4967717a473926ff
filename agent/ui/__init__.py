"""The page: conversation, evidence, patients, words; served by Gradio, on this machine only."""
