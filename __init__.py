"""Movie Gen for ComfyUI. Imports nothing here: the host and pytest both load this file early."""
