"""How a question becomes a verified answer.

This room does not know the file formats of sources.
"""
