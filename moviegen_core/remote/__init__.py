"""A ComfyUI that runs somewhere else: its workflows, its nodes as it describes them, its HTTP API."""
