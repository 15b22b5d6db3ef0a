"""Loading: a cast, or single files from the host's own model folders."""

from typing import Any

from comfy_api.latest import io

from .host import clip, files, model, vae

CATEGORY = "Movie Gen/load"
MODEL_TIP = "For KSampler or any other sampler."
CLIP_TIP = "For Movie Gen Prompt or CLIP Text Encode."
VAE_TIP = "For Movie Gen Decode or VAE Encode and Decode."
ROLES = ("video",)
"""What the transformer of a cast can be asked to do."""


class MovieGenLoadCast(io.ComfyNode):
    """All models of a cast at once."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        return io.Schema(
            node_id="MovieGenLoadCast",
            display_name="Load Movie Gen",
            category=CATEGORY,
            description="Load the models of a cast. The nano cast comes with this pack and needs no"
            " download.",
            inputs=[
                io.Combo.Input(
                    "cast",
                    options=files.cast_names(),
                    default=files.cast_names()[0],
                    tooltip="nano ships with the pack: a small world that runs on a CPU. Put other casts,"
                    " each a folder with a cast.json, into models/moviegen.",
                ),
                io.Combo.Input(
                    "role",
                    options=list(ROLES),
                    default=ROLES[0],
                    tooltip="What the model is for: video makes clips and pictures from text.",
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip=MODEL_TIP),
                io.Clip.Output(display_name="clip", tooltip=CLIP_TIP),
                io.Vae.Output(display_name="vae", tooltip=VAE_TIP),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, cast: str, **_inputs: Any) -> object:  # noqa: ANN401 - whatever else the form has
        """Load again when the cast's files change."""
        found = files.find_cast(cast)
        return files.stamp([found.folder / name for name in found.roles.values()])

    @classmethod
    def execute(cls, cast: str, role: str) -> io.NodeOutput:
        """Load the three models."""
        found = files.find_cast(cast)
        video, text, tae = (found.path(name) for name in (role, "text", "tae"))
        return io.NodeOutput(model.load_model(video, tae), clip.load_clip(text), vae.load_vae(tae))


def file_form(node_id: str, name: str, what: str, folder: str, output: Any) -> io.Schema:  # noqa: ANN401
    """The form of a node that loads one file.

    Args:
        node_id: the node's.
        name: of the kind of model, such as "VAE"; the node and its field are called after it.
        what: the model in words.
        folder: the host's kind of model folder.
        output: what becomes of the file.

    Returns:
        A single choice among the folder's files, and the output.
    """
    field = io.Combo.Input(
        f"{name.lower().replace(' ', '_')}_name",
        options=files.file_names(folder),
        tooltip=f"A safetensors file with a Movie Gen {what}, from models/{folder}; what begins with"
        " nano/ came with the pack.",
    )
    return io.Schema(
        node_id=node_id,
        display_name=f"Load Movie Gen {name}",
        category=CATEGORY,
        description=f"Load a Movie Gen {what} from the {folder} folder.",
        inputs=[field],
        outputs=[output],
    )


class MovieGenLoadModel(io.ComfyNode):
    """A video transformer alone."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        output = io.Model.Output(display_name="model", tooltip=MODEL_TIP)
        return file_form("MovieGenLoadModel", "Model", "video model", "diffusion_models", output)

    @classmethod
    def fingerprint_inputs(cls, model_name: str) -> object:
        """Load again when the file changes."""
        return files.stamp([files.find_file("diffusion_models", model_name)])

    @classmethod
    def execute(cls, model_name: str) -> io.NodeOutput:
        """Load it."""
        return io.NodeOutput(model.load_model(files.find_file("diffusion_models", model_name)))


class MovieGenLoadTextEncoder(io.ComfyNode):
    """A text encoder alone."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        output = io.Clip.Output(display_name="clip", tooltip=CLIP_TIP)
        return file_form("MovieGenLoadTextEncoder", "Text Encoder", "text encoder", "text_encoders", output)

    @classmethod
    def fingerprint_inputs(cls, text_encoder_name: str) -> object:
        """Load again when the file changes."""
        return files.stamp([files.find_file("text_encoders", text_encoder_name)])

    @classmethod
    def execute(cls, text_encoder_name: str) -> io.NodeOutput:
        """Load it."""
        return io.NodeOutput(clip.load_clip(files.find_file("text_encoders", text_encoder_name)))


class MovieGenLoadVAE(io.ComfyNode):
    """A temporal autoencoder alone."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The form."""
        output = io.Vae.Output(display_name="vae", tooltip=VAE_TIP)
        return file_form("MovieGenLoadVAE", "VAE", "temporal autoencoder", "vae", output)

    @classmethod
    def fingerprint_inputs(cls, vae_name: str) -> object:
        """Load again when the file changes."""
        return files.stamp([files.find_file("vae", vae_name)])

    @classmethod
    def execute(cls, vae_name: str) -> io.NodeOutput:
        """Load it."""
        return io.NodeOutput(vae.load_vae(files.find_file("vae", vae_name)))


NODES = (MovieGenLoadCast, MovieGenLoadModel, MovieGenLoadTextEncoder, MovieGenLoadVAE)
