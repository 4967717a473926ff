"""The language models: files, their check and their store; the one worker before llama.cpp; chat."""
