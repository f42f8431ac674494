"""The machine: files, processes, memory."""
