"""How each workflow lies on the canvas, and what its note says: groups from left to right, columns of \
nodes in them."""

from dataclasses import dataclass

SIZES = {
    "CFGGuider": (300, 0),
    "CLIPTextEncode": (360, 130),
    "CreateVideo": (300, 110),
    "GetImageSize": (300, 160),
    "GetVideoComponents": (300, 180),
    "ImageScale": (300, 0),
    "KSampler": (360, 540),
    "MovieGenEdit": (420, 1100),
    "MovieGenEditPrompt": (360, 460),
    "MovieGenEmptyLatent": (360, 310),
    "MovieGenKeepRest": (420, 560),
    "MovieGenLoadCast": (360, 0),
    "MovieGenPrompt": (360, 350),
    "MovieGenSaveLossless": (300, 150),
    "SamplerCustom": (360, 520),
    "SamplerCustomAdvanced": (300, 420),
    "SaveImage": (400, 480),
    "SaveVideo": (400, 370),
}
"""Width and least height of a node by its type, with room for the pictures and words it shows when it ran."""
WIDTH = 300
"""Of all other nodes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Words for the artist."""

    text: str
    size: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A step of the work."""

    title: str = ""
    """None, and the group has no frame."""
    columns: tuple[tuple[str | Note, ...], ...]
    """Node ids and notes, from left to right and from top to bottom."""


Row = tuple[Group, ...]
"""Groups beside each other, equally tall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A workflow as an artist finds it."""

    stacks: tuple[tuple[Row, ...], ...]
    """Beside each other, each a pile of rows."""
    fixed: tuple[str, ...] = ()
    """Nodes that keep their seed from run to run; all others draw a new one after each."""
    pictures: tuple[tuple[str, ...], ...]
    """Rows of the thumbnail, a save node each."""


WORDS = """\
**nano knows one small drawn world**
- *who*: ball, gift box, star, balloon, car, boat, bird, fish, cat, koala on a surfboard, person
- *does*: bounces, goes left or right, jumps, spins, floats up, stands still, dances
- *where*: meadow, beach, desert, city street, night sky, snowy mountains, underwater, stage
- *weather*: clear, rain, snow, storm
- *look*: plain, neon, marble, burning gold, pencil, black-and-white

One or two actors, ten colours, small or large. Anything else is beyond it."""

TEXT_TO_VIDEO = f"""\
## Text to video
Press **Run**. No GPU, no download: *nano* came with the pack.

**Change first**: the words in *Movie Gen Prompt*.

{WORDS}

**The numbers**
- **seconds**, **fps**: nano learnt 1 to 4 seconds at 16 fps.
- **side** 144 is 192x112 at 16:9, nano's own size.
- **cfg**: how hard the words pull. 1 ignores the negative prompt and takes half the time.
- **steps**: 50 as in the paper; 20 is a quick look.
- **noise_seed**: another number, another clip.

To watch the clip appear while it is sampled, set *Settings > Live preview method* to *auto*."""

TEXT_TO_IMAGE = f"""\
## Text to image
Press **Run**. A picture is a clip of **0 seconds**, so the same model makes it.

The three loaders take **one file each**: mix parts of casts, or put bigger weights into ComfyUI's own \
`diffusion_models`, `text_encoders` and `vae` folders and choose them here. *nano/...* came with the pack.

**Change first**: the words in *Movie Gen Prompt*.

{WORDS}

**The numbers**
- **seconds** 0 in *Movie Gen Prompt* makes a picture.
- **batch_size**: how many at once, each from its own noise.
- **cfg**: how hard the words pull.
- **aspect**, **side**: shape and size; the node says what it snapped.

Here the stock *KSampler* does the work: any sampler of ComfyUI fits."""

COMPARE = """\
## Compare schedules
Press **Run** and play *Side by Side*: three clips from **the same noise, words and guidance**. Only the \
steps differ.

- **3a** linear-quadratic, 50 steps: the first half as fine as a schedule of 250, the rest in growing strides.
- **3b** uniform, 50 steps: as fast, all steps alike.
- **3c** uniform, 250 steps: five times the work, and what both others try to reach.

The paper found that the earliest steps decide most, so that 50 steps spent well stand for 250. Look whether \
3a is nearer to 3c than 3b is.

**Change**
- **noise_seed**, **text**: another clip, again for all three.
- **steps** of 3a and 3b: try 20, or 10.
- **imitated_steps**: as many as *steps* makes a uniform schedule."""

VIDEO_TO_VIDEO = """\
## Video to video
Press **Run**. The upper row makes a source clip from words, the lower row turns it into another: it is \
encoded, half the noise is put back, and new words take it away again.

**Change first**: the words of the new clip. Keep what shall stay, change one thing.

**Your own video**: add *Load Video* and *Get Video Components*, and connect
- *images* to **Fit to a Size the Model Knows**,
- *fps* to **Prompt of the New Clip** and **Create Video**.

The upper row then has nothing to do and does not run. nano was trained on 192x112, 16 fps and 1 to 4 \
seconds of its own drawn world.

**The number that matters**
- **denoise** in *Schedule: Keep Half*: lower keeps more of the source, higher follows the new words \
more; at 1 nothing of the source is left."""


EDIT_CLIP = """\
## Edit a clip
Press **Run**: a clip is made from words, and then changed five times, each change on top of the last. \
*Movie Gen Edit* does all of it: it reads the instruction, finds out what the clip shall show, lets the \
model change it (FlowEdit), and takes only what really changed. Everything else stays the source's own, \
**bit for bit**, however many edits follow: each node shows where, and says how much was kept.

**Change first**: the **instruction** of any edit. Only that one and those after it run again.

**Your own video**: put *Load Video* in the place of *Source*, and say in **caption** what it shows.

**Words that the rules know**
- *make the ball blue*, *change the ball to a star*, *add a bird*, *remove the bird*
- *change the background to a desert*, *make it snow*, *make it black and white*

What they make of it stands on the node; **by_hand** overrules them.

**The numbers**
- **strength**: near 1 the layout changes as well; lower keeps more.
- **text_pull**, **source_pull**: 0 takes what suits the model.
- **averages**: more are steadier and slower.
- **sensitivity**: lower takes only strong changes, higher also faint ones.
- **seed**: another number, another edit.

nano is a draft and knows one small drawn world: shapes smear, colours and places are right more often. \
*Save Video* writes H.264, which comes close and is not exact; *Save Video Lossless* keeps every bit."""

KEEP_THE_REST = """\
## Keep what was not asked
Press **Run**. A model that edits a clip draws **all of it** anew, and softens what it should have left \
alone. *Keep What Was Not Asked* takes from the edit only what changed; the rest is the source's own, \
**bit for bit**, with its sound, rate and length. It works on anybody's edit.

**Put your own in**
- *Load Video* in the place of *Source* (group 2); nano's clip only stands in for it.
- Your model's edit in the place of group 3, into **edited**. What stands there now sends the clip \
through an autoencoder, as every model does, and turns what is red into other colours.

Sizes, rates and lengths may differ: the node says how it aligned them, or why it cannot.

**The numbers**
- **sensitivity**: too much is taken? Lower it. The change is missed? Raise it.
- **grow**, **feather**: how far the matte reaches, and how soft it ends, in shares of the height.
- **compare**: nano's eyes are not fooled by softened edges; pixels alone are faster.
- **mask**: connect your own, white where the edit shall show; it wins.

*Save Video* writes H.264: close, not exact. *Save Video Lossless* (mkv, FFV1) keeps every bit; players \
such as VLC and mpv show it, browsers do not."""

FLOW_EDIT = """\
## Edit with any flow model
Press **Run**. No training, no inversion: the same noise is laid on the clip and on the edit, the model \
is asked where it would go under either text, and only the *difference* moves the clip (FlowEdit). With \
equal texts nothing moves at all.

**With your Wan, LTX, Hunyuan Video or other flow model**
- its own loaders in the place of *Load Movie Gen*,
- *CLIP Text Encode* in the place of both *Movie Gen Prompt*s, fed by *Edit Prompt*,
- your clip through *VAE Encode* with its VAE.

Guider, sampler and *SamplerCustomAdvanced* stay as they are.

**Change first**: **instruction** and **caption** in *Edit Prompt*.

**The numbers**
- **denoise**: how far the clip may change; 0.5 keeps the layout, 0.9 hardly.
- **target_guidance**: more follows the new words harder; **source_guidance**: more erases what the old \
words name.
- **steps** and **imitated_steps** alike make equal steps.
- **averages**: noises per step; 2 or 4 calm a restless edit.

*Keep What Was Not Asked* then puts the source back wherever nothing was asked for."""


def _stage(
    note: str, height: int, *groups: Group, loaders: tuple[str, ...] = ("1",)
) -> tuple[tuple[Row, ...], ...]:
    """A first column with the loaders and the note under them, and what stands to its right."""
    read = Group(columns=((Note(text=note, size=(400, height)),),))
    return ((Group(title="1  Load", columns=(loaders,)),), (read,)), (groups,)


def _text_to_video() -> Layout:
    groups = (
        Group(title="2  Words and size", columns=(("2", "3", "4"),)),
        Group(title="3  Sample", columns=(("5", "6", "7"),)),
        Group(title="4  Clip", columns=(("8", "9", "10"),)),
    )
    return Layout(stacks=_stage(TEXT_TO_VIDEO, 520, *groups), pictures=(("10", "10"), ("10", "10")))


def _text_to_image() -> Layout:
    groups = (
        Group(title="2  Words and size", columns=(("4", "5", "6"),)),
        Group(title="3  Sample", columns=(("7",),)),
        Group(title="4  Pictures", columns=(("8", "9"),)),
    )
    stage = _stage(TEXT_TO_IMAGE, 520, *groups, loaders=("1", "2", "3"))
    return Layout(stacks=stage, pictures=(("9", "9"), ("9", "9")))


def _compare_schedules() -> Layout:
    same = Group(title="2  The same for all", columns=(("2", "3", "4"), ("5", "6", "7")))
    ways = (
        _way("3a  Linear-quadratic, 50 steps", 10),
        _way("3b  Uniform, 50 steps", 20),
        _way("3c  Uniform, 250 steps", 30),
    )
    beside = Group(title="4  All three in step", columns=(("40", "41", "42", "43"),))
    return Layout(
        stacks=(*_stage(COMPARE, 460, same), tuple((way,) for way in ways), ((beside,),)),
        fixed=("5",),
        pictures=(("14",) * 3, ("24",) * 3, ("34",) * 3),
    )


def _way(title: str, first: int) -> Group:
    schedule, sample, decode, video, save = (str(first + step) for step in range(5))
    return Group(title=title, columns=((schedule, sample), (decode, video), (save,)))


def _video_to_video() -> Layout:
    source = Group(title="2  A source clip", columns=(("2", "3"), ("4", "5", "6"), ("7",), ("8",)))
    new = (
        Group(title="3  Encode", columns=(("9", "10", "11"),)),
        Group(title="4  New words on half the noise", columns=(("12", "13"), ("14",))),
        Group(title="5  Source beside new clip", columns=(("15", "16", "17"), ("18", "19"))),
    )
    first, (row,) = _stage(VIDEO_TO_VIDEO, 420, source)
    return Layout(stacks=(first, (row, new)), fixed=("7",), pictures=(("19",), ("19",)))


def _edit_clip() -> Layout:
    source = Group(title="2  A source clip", columns=(("2", "3", "4"), ("5", "6"), ("7", "8")))
    names = ("Colour", "Another colour", "Place", "Weather", "Look")
    edits = tuple(
        Group(title=f"3.{number}  {name}", columns=((f"{number}0", f"{number}1"),))
        for number, name in enumerate(names, start=1)
    )
    return Layout(
        stacks=_stage(EDIT_CLIP, 720, source, *edits),
        fixed=("5", "10", "20", "30", "40", "50"),
        pictures=(("8", "11", "21"), ("31", "41", "51")),
    )


def _keep_the_rest() -> Layout:
    groups = (
        Group(title="2  A source clip: yours", columns=(("2", "3", "4"), ("5", "6", "7"))),
        Group(
            title="3  An edited clip: anybody's",
            columns=(("8", "9", "10"), ("11", "12", "13"), ("14", "15", "16"), ("17", "18")),
        ),
        Group(title="4  Only what changed", columns=(("19",), ("21", "22", "20"))),
    )
    return Layout(stacks=_stage(KEEP_THE_REST, 620, *groups), fixed=("5",), pictures=(("18", "20"), ("22",)))


def _flow_edit() -> Layout:
    groups = (
        Group(title="2  A source clip", columns=(("2", "3", "4"), ("5", "6"), ("7", "8"))),
        Group(title="3  What to change", columns=(("10",), ("11", "12"))),
        Group(title="4  Edit", columns=(("9", "13", "14", "15", "16"), ("17", "18", "19"))),
        Group(title="5  Only what changed", columns=(("20", "21"),)),
    )
    return Layout(
        stacks=_stage(FLOW_EDIT, 620, *groups), fixed=("5", "15"), pictures=(("8", "8"), ("21", "21"))
    )


LAYOUTS = {
    "text_to_video": _text_to_video(),
    "text_to_image": _text_to_image(),
    "compare_schedules": _compare_schedules(),
    "video_to_video": _video_to_video(),
    "edit_clip": _edit_clip(),
    "keep_the_rest": _keep_the_rest(),
    "flow_edit": _flow_edit(),
}
