"""Loading: a cast, or single files from the host's own model folders."""

from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..moviegen_core.errors import WeightsError
from ..moviegen_core.weights.cast import Cast
from .host import clip, codec, edit, faces, files, model, sound, vae

CATEGORY = "Movie Gen/load"
MODEL_TIP = "For KSampler or any other sampler."
CLIP_TIP = "For Movie Gen Prompt or CLIP Text Encode."
VAE_TIP = "For Movie Gen Decode or VAE Encode and Decode."
CAST_MODEL_TIP = "For KSampler or any other sampler; of role sound also for Video Features."
CAST_CLIP_TIP = "For Movie Gen Prompt or CLIP Text Encode; of role sound for Sound Conditioning."
CAST_VAE_TIP = "For Movie Gen Decode or VAE Encode and Decode; of role sound for Decode Sound."
ROLES = {
    "video": ("video", "text", "tae"),
    "sound": ("audio", "audio_text", "audio_codec", "vision"),
    "edit": ("edit", "edit_text", "tae"),
    "face": ("personalized", "text", "tae", "identity"),
}
"""What a cast can be asked to do, and the roles in it that do so: model, its text encoder, its codec."""
ABILITIES = {
    "sound": "sound",
    "edit": "editing by instruction (FlowEdit edits with its video model)",
    "face": "putting a face into a clip",
}
"""What a cast may lack."""


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
                    default="video",
                    tooltip="What the model is for: video makes clips and pictures from text, sound makes"
                    " sound for clips or from text, edit changes clips by instruction, face puts a person"
                    " into a clip.",
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip=CAST_MODEL_TIP),
                io.Clip.Output(display_name="clip", tooltip=CAST_CLIP_TIP),
                io.Vae.Output(display_name="vae", tooltip=CAST_VAE_TIP),
            ],
        )

    @classmethod
    def fingerprint_inputs(cls, cast: str, **_inputs: Any) -> object:  # noqa: ANN401 - whatever else the form has
        """Load again when the cast's files change."""
        found = files.find_cast(cast)
        return files.stamp([found.folder / name for name in found.roles.values()])

    @classmethod
    def execute(cls, cast: str, role: str) -> io.NodeOutput:
        """Load the models of the role."""
        found = files.find_cast(cast)
        check_roles(found, role)
        paths = [found.path(name) for name in ROLES[role]]
        return io.NodeOutput(*MAKERS[role](*paths))


def video_models(video: Path, text: Path, tae: Path) -> tuple[Any, Any, Any]:
    """MODEL, CLIP and VAE for clips."""
    return model.load_model(video, tae), clip.load_clip(text), vae.load_vae(tae)


def sound_models(audio: Path, text: Path, audio_codec: Path, vision: Path) -> tuple[Any, Any, Any]:
    """MODEL, CLIP and VAE for sound."""
    return (
        sound.load_sound_model(audio, vision),
        clip.load_clip(text, "audio_text"),
        codec.load_codec(audio_codec),
    )


def edit_models(edit_file: Path, text: Path, tae: Path) -> tuple[Any, Any, Any]:
    """MODEL, CLIP and VAE for editing by instruction."""
    return edit.load_edit_model(edit_file, tae), clip.load_clip(text, "edit_text"), vae.load_vae(tae)


def face_models(personalized: Path, text: Path, tae: Path, identity: Path) -> tuple[Any, Any, Any]:
    """MODEL, CLIP and VAE for clips with a face."""
    return faces.load_face_model(personalized, identity, tae), clip.load_clip(text), vae.load_vae(tae)


MAKERS = {"video": video_models, "sound": sound_models, "edit": edit_models, "face": face_models}


def check_roles(cast: Cast, role: str) -> None:
    """Refuse a cast that cannot do what is asked, naming those that can.

    Args:
        cast: the chosen one.
        role: one of ``ROLES``.

    Raises:
        WeightsError: files are missing in it.
    """
    missing = [name for name in ROLES[role] if name not in cast.roles]
    if missing and role in ABILITIES:
        able = [name for name in files.cast_names() if not set(ROLES[role]) - files.roles_of(name)]
        others = f"choose {' or '.join(able)}" if able else "take a newer version of this pack"
        raise WeightsError(
            f"cast {cast.name} has no models for {ABILITIES[role]}, it lacks {', '.join(missing)}; {others},"
            " or put a cast that has them into models/moviegen"
        )


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
        path = files.find_file("diffusion_models", model_name)
        edits = files.role_of("diffusion_models", model_name) == "edit"
        return io.NodeOutput((edit.load_edit_model if edits else model.load_model)(path))


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
        path = files.find_file("text_encoders", text_encoder_name)
        return io.NodeOutput(clip.load_clip(path, files.role_of("text_encoders", text_encoder_name)))


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
