"""How it is found: chunks, embeddings, FAISS, keywords, values, fusion, manifest.

This room does not know what a question means, nor any model that writes.
"""
