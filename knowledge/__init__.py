"""What is known: records, terminology, clinical facts.

This room does not know how anything is searched by meaning, nor any model.
"""
