"""Movie Gen for ComfyUI. Imports nothing here: the host and pytest both load this file early."""

WEB_DIRECTORY = "./web"


async def comfy_entrypoint():  # noqa: ANN201 - its type lives in the host
    """The pack's extension, as the host asks for it."""
    from .nodes import MovieGenExtension

    return MovieGenExtension()
