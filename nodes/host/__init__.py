"""The only package that imports ComfyUI's ``comfy.*``, ``folder_paths`` and ``server``.

Their names promise no stability, so everything here is tested on two cores and asks before it uses what only
one of them has.
"""
