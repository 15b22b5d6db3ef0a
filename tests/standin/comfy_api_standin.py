"""As much of ``comfy_api.latest`` as our schemas use, strict as the oldest host: unknown words are errors."""

import types
from dataclasses import dataclass, field
from enum import Enum

BASIC = ("id", "display_name", "optional", "tooltip", "lazy", "extra_dict", "raw_link")
WIDGET = (*BASIC, "default", "socketless", "force_input")
NUMBER = (*WIDGET, "min", "max", "step", "control_after_generate", "display_mode")
TYPES = {
    **dict.fromkeys(("Model", "Clip", "Vae", "Conditioning", "Latent", "Image", "Mask", "Sigmas"), BASIC),
    **dict.fromkeys(("Audio", "Video", "Sampler", "ClipVisionOutput"), BASIC),
    **dict.fromkeys(("Guider", "UpscaleModel"), BASIC),
    "Int": NUMBER,
    "Float": (*NUMBER, "round"),
    "String": (*WIDGET, "multiline", "placeholder", "dynamic_prompts"),
    "Boolean": (*WIDGET, "label_on", "label_off"),
    "Combo": (*WIDGET, "options", "control_after_generate", "upload", "image_folder", "remote"),
}

SPELLED = {"ClipVisionOutput": "CLIP_VISION_OUTPUT", "UpscaleModel": "UPSCALE_MODEL"}
"""Types that are not called as they are written."""


class _Socket:
    io_type = ""
    known = ()

    def __init__(self, id=None, **facts):
        strangers = set(facts) - set(self.known)
        if strangers:
            raise TypeError(f"{self.io_type} does not know {sorted(strangers)}")
        self.id, self.facts = id, facts

    def __getattr__(self, name):
        return self.__dict__["facts"].get(name)


def _type(name, known):
    spelled = SPELLED.get(name, name.upper())
    given = type("Input", (_Socket,), {"io_type": spelled, "known": known})
    made = type(
        "Output", (_Socket,), {"io_type": spelled, "known": ("display_name", "tooltip", "is_output_list")}
    )
    return types.SimpleNamespace(Input=given, Output=made)


@dataclass
class Schema:
    """What the oldest host accepts."""

    node_id: str
    display_name: str = None
    category: str = "sd"
    inputs: list = field(default_factory=list)
    outputs: list = field(default_factory=list)
    hidden: list = field(default_factory=list)
    description: str = ""
    is_input_list: bool = False
    is_output_node: bool = False
    is_deprecated: bool = False
    is_experimental: bool = False
    is_api_node: bool = False
    not_idempotent: bool = False
    enable_expand: bool = False


class NodeOutput:
    """Results in order, and what the frontend is told."""

    def __init__(self, *args, ui=None, expand=None, block_execution=None):
        self.args, self.ui, self.expand, self.block_execution = args, ui, expand, block_execution

    def __getitem__(self, index):
        return self.args[index]


class ComfyNode:
    """A node: classmethods only."""

    hidden = types.SimpleNamespace(unique_id=None)

    @classmethod
    def GET_SCHEMA(cls):  # noqa: N802 - the host's name
        return cls.define_schema()


class ComfyExtension:
    """A pack."""


class PreviewText:
    """Words beside a result."""

    def __init__(self, value):
        self.value = value

    def as_dict(self):
        return {"text": (self.value,)}


class PreviewImage:
    """Pictures on the node."""

    def __init__(self, image, animated=False, cls=None):
        self.image, self.animated, self.cls = image, animated, cls


class Hidden(str, Enum):
    """What a node may ask for without a socket."""

    unique_id = "UNIQUE_ID"
    prompt = "PROMPT"
    extra_pnginfo = "EXTRA_PNGINFO"
    dynprompt = "DYNPROMPT"


def modules():
    """The modules to put into ``sys.modules``, by name."""
    io = types.SimpleNamespace(
        Schema=Schema,
        NodeOutput=NodeOutput,
        ComfyNode=ComfyNode,
        Hidden=Hidden,
        **{name: _type(name, known) for name, known in TYPES.items()},
    )
    latest = types.ModuleType("comfy_api.latest")
    latest.io, latest.ui = io, types.SimpleNamespace(PreviewText=PreviewText, PreviewImage=PreviewImage)
    latest.ComfyExtension = ComfyExtension
    package = types.ModuleType("comfy_api")
    package.latest = latest
    return {"comfy_api": package, "comfy_api.latest": latest}
