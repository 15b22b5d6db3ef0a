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
    "MovieGenAddSound": (300, 130),
    "MovieGenDecodeVideo": (300, 250),
    "MovieGenEdit": (420, 1100),
    "MovieGenEditPrompt": (360, 460),
    "MovieGenEmptyLatent": (360, 310),
    "MovieGenEmptySoundLatent": (300, 200),
    "MovieGenExtendSound": (320, 280),
    "MovieGenKeepRest": (420, 560),
    "MovieGenLoadCast": (360, 0),
    "MovieGenLongClip": (300, 190),
    "MovieGenMeasureDrift": (300, 250),
    "MovieGenMixSound": (340, 560),
    "MovieGenPickSound": (300, 220),
    "MovieGenPrompt": (360, 350),
    "MovieGenRedrawVideo": (380, 640),
    "MovieGenSaveLossless": (300, 150),
    "MovieGenSound": (400, 620),
    "MovieGenSoundConditioning": (360, 380),
    "MovieGenSoundPicture": (520, 320),
    "MovieGenUpscaleVideo": (380, 580),
    "PreviewImage": (520, 320),
    "SamplerCustom": (360, 520),
    "SamplerCustomAdvanced": (300, 420),
    "SaveAudio": (320, 150),
    "SaveImage": (400, 480),
    "SaveVideo": (400, 370),
}
"""Width and least height of a node by its type, with room for the pictures and words it shows when it \
ran."""
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

- **3a** linear-quadratic, 50 steps: the first half as fine as a schedule of 250, the rest in growing \
strides.
- **3b** uniform, 50 steps: as fast, all steps alike.
- **3c** uniform, 250 steps: five times the work, and what both others try to reach.

The paper found that the earliest steps decide most, so that 50 steps spent well stand for 250. Look \
whether \
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

ANY_SOUND = """\
## Sound for any video
Press **Run**. The upper row makes a silent clip from words; *Movie Gen Sound* watches it, makes four sounds \
for it, keeps the one that is best in step, and puts it in, exactly as long as the pictures.

**Your own video**: add *Load Video* and connect it to *video* of **Movie Gen Sound**. The upper row then \
has nothing to do and does not run. Any size, rate and length; the pictures of a file are copied untouched.

**Change first**
- **sounds**: what is heard, in words. Empty follows the picture.
- **music**: such as `calm piano music`. Empty makes none.
- **candidates**: more is a better choice, and takes longer.
- **original**: a video that speaks may keep its sound in front.
- **loudness**: -16 for streaming, -23 for broadcast, 0 keeps the level.

The picture shows the sound; a line stands where something happens in the clip.

nano was trained on the sounds of its own drawn world. It makes no speech and no singing."""

VIDEO_WITH_SOUND = """\
## Text to video with sound
Press **Run**. The upper row makes a clip from words, the lower row its sound, step by step: watch the clip, \
say what is heard, sample, decode, put it in.

**Change first**: the words of the clip, and **sounds** in *Sound Conditioning*. Say there what one hears, \
not what one sees. Empty leaves it to the picture.

**The numbers**
- **music**: `happy marimba music` plays along; empty asks for none.
- **steps**, **imitated_steps**: of the sound; both alike, 64 in the paper.
- **cfg**: how hard words and picture pull; 3 in the paper.
- **noise_seed**: another number, another sound.

Any sampler of ComfyUI works with the sound model. The paper takes *Midpoint Sampler*."""

EXTEND = """\
## Extend sound
Press **Run**. Four seconds are made from words, then they go on for six more. *Save the Whole* holds both: \
its first four seconds are the beginning, sample by sample.

**Your own sound**: add *Load Audio* and connect it to *audio* of **Extend Sound**. Steps 3 and 4 then have \
nothing to do but to save.

**Change first**: **sounds**, in words.

**The numbers**
- **seconds** in *Extend Sound*: how much is new.
- **start**: -1 goes on at the end; 2 makes what begins at second 2 anew, and keeps the rest.
- **hears**: how much of the old sound, on either side, the model hears.

For a sound to a picture connect *Video Features* to **features** in *Sound Conditioning*."""

STEMS = """\
## Effects and music as stems
Press **Run**. The upper row makes a clip. Its effects and its music are made apart: of four effects the one \
best in step is kept, the music plays alone. *Mix Sound* brings both to their loudness and into the clip, \
and hands out each as it stands in the mix, to be saved as a stem.

**Your own video**: add *Load Video* and connect it wherever *Create Video* is connected now. What it says \
already stays in front: **keep_sound**.

**Change first**
- **sounds** of *Effects*, **music** of *Music*.
- **batch_size**: candidates to choose from; **rank** 2 takes the second best.
- **music_db**, **effects_db**: how loud each is.
- **duck_db**: how far all steps back while somebody speaks.
- **loudness**, **ceiling**: of the mix, measured by BS.1770."""


EDIT_CLIP = """\
## Edit a clip
Press **Run**: a clip is made from words, and then changed five times, each change on top of the last. \
*Movie Gen Edit* does all of it: it reads the instruction, lets the edit model follow it, and takes only \
what really changed. Everything else stays the source's own, \
**bit for bit**, however many edits follow: each node shows where, and says how much was kept.

**Change first**: the **instruction** of any edit. Only that one and those after it run again.

**Your own video**: put *Load Video* in the place of *Source*.

**Words that it was taught**
- *make the ball blue*, *change the ball to a star*, *add a bird*, *remove the bird*
- *change the background to a desert*, *make it snow*, *make it black and white*

What kind of edit it is taken for stands on the node.

**The numbers**
- **text_pull**, **source_pull**: 0 takes what suits the model; more of the first changes more, more of \
the second keeps more.
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

EDIT_BY_INSTRUCTION = """\
## Edit by instruction, part by part
Press **Run**. What *Movie Gen Edit* does in one node, taken apart: the edit model sees the **source** \
beside the noise, is told the **instruction** and what **kind of edit** it is, and is pulled to both.

**Change first**: the **instruction** in *Edit Conditioning*. *make it snow*, *change the ball to a \
star*, *change the background to a desert*.

**Your own video**: *Load Video* and *Get Video Components* in the place of the source clip; sides in \
multiples of 16.

**The numbers**
- **source_pull**: more keeps more of the source. **text_pull**: more change.
- **task**: what kind of edit it is, when the rules read the instruction wrong.
- **steps**: 25 is quick, 50 is better.

ComfyUI's own *DualCFGGuider* takes the three conditionings as well. *Keep What Was Not Asked* puts the \
source back, bit for bit, wherever nothing was asked for. nano is a draft: colours, places and weather \
change more surely than shapes."""

FACE_INTO_A_CLIP = """\
## Put a face into a clip
Press **Run**. *Find Face* cuts the face out of a picture, and *Identity Conditioning* puts it beside \
the words of a new clip. Two clips are made; *Likeness* follows the face through both and lets the more \
like one through, with its curve.

**Another picture**: another **person** in *Your Picture*; with a model that knows photographs, *Load \
Image* in its place. Where the face is not found, paint a \
mask over it in the mask editor and connect it to *Find Face*. Several pictures of one person: a batch, \
up to five.

**Change first**: the words in *Movie Gen Prompt*. They should speak of a person, and need not say what \
the person looks like.

**The numbers**
- **batch_size** in *Empty Movie Latent*: more clips to choose from.
- **cfg**: pulls words and face together.

nano knows drawn people: skin, hair and hats, a few pixels wide. A photograph is beyond it. The measure is \
our own small encoder, no face recognizer."""

UPSCALE = """\
## Upscale to 1080p
Press **Run**. A one-second clip from words becomes 1920x1080, as a stream: its frames are never all in \
memory.

**Your own video**: add *Load Video* and connect it to **video** of *Upscale Video*. What stands before \
it then has nothing to do and does not run. Any length, any size, with sound: the sound is copied as it \
is.

**Stop it any time.** What is finished lies in `output/movie-gen/unfinished`, and the next **Run** goes \
on from there, after a restart of ComfyUI too.

**The numbers**
- **height**, **width**: of the result; a width of 0 keeps the clip's shape.
- **fit**: where the shapes differ, crop, pad or stretch.
- **upscaler**: *nano* draws detail, two times as large at a time, and takes seconds a frame on a CPU; \
*lanczos* and *bicubic* are quick and add none. An upscale model takes its place.
- **colour**: how colours are brought back to the clip's.

The node tells its plan before, and colour, flicker, seams and memory after. *Comparison*: plainly \
enlarged on the left, the result on the right."""

ESRGAN = """\
## Upscale with ESRGAN, streamed
Press **Run**: as it stands, *bicubic* makes the clip four times as large. An upscale model takes its \
place:

1. Put a model into ComfyUI's `models/upscale_models`: ESRGAN, Real-ESRGAN, SwinIR, DAT, SPAN, whatever \
ComfyUI loads. None comes with this pack.
2. Add *Load Upscale Model* and connect it to **upscale_model** of *Upscale Video*.
3. For your own video add *Load Video* and connect it to **video**.

Unlike ComfyUI's own *Upscale Image (using Model)* this never holds all frames, goes on after a stop, \
brings the colours back, reaches an exact size whatever the model's factor, and carries the sound \
through.

**The numbers**
- **height** 448 is four times 112: what a 4x model gives. Any other is resampled from what it gives.
- **tile**: source pixels given to the model at once, halved by itself when the GPU is full; 0 gives \
whole frames.
- **crf**: quality of the file."""

REDRAW = """\
## Upscale by sampling
Press **Run**. The clip is enlarged plainly, gets a little noise, and the model takes it away again: so \
a generator draws detail. Where windows and tiles overlap they see the same noise, and fade into each \
other.

**With your own model**: any that makes clips or pictures. Connect its guider and VAE, and *Load Video* \
to **video**. For Wan: **window** 33, **overlap** 9, **tile** 768.

**The numbers that matter**
- **denoise** in *Schedule: a Little Noise*: 0.1 changes little, 0.4 draws anew.
- **tile** 192 is as large as nano has learnt to see; larger models take 768 or more.
- **colour**: *wavelet* leaves only what is fine to the model.

nano was trained on its own small drawings, so it makes them smoother and not richer. The node goes on \
after a stop, as *Upscale Video* does."""

LONG = """\
## Long clip
Press **Run**: 16 seconds, four times what nano learnt. *Long Clip* lets any sampler work in windows \
that overlap by half and are blended at every step; memory is that of one window.

**Change first**: the words, and **seconds** in *Movie Gen Prompt*, up to 64.

- **window** 0 takes what the model learnt: 8 latent frames, 4 seconds for nano. For Wan set 21.
- **overlap** 0 takes half. More is steadier and takes longer.
- *Decode to Video* writes frames into the file as they are decoded, exactly as if all were decoded at \
once.
- *Measure Drift* compares every 2 seconds with the first: a colour distance of 2 is just seen.

The words hold for the whole clip: windows hear of each other only through what they share, so that an \
actor may change on the way."""

FILM = """\
## Text to video to 1080p
Press **Run**: words become a clip of 4 seconds, the clip gets its sound, and both become a file of \
1920x1080.

**Change first**: the words in *Movie Gen Prompt*; then **seconds**: 16 works too, in windows.

**Sound**: *Movie Gen Sound* makes what the clip shows, or what you write into **sounds**; **music** \
plays along. Bypass it for a silent film, or put any AUDIO in with *Add Sound to Video*. *Upscale Video* \
carries it through untouched.

**The numbers**
- **steps**: 30 here; the paper takes 50.
- **upscaler**: *lanczos* is quick and adds no detail; *nano*, which takes seconds a frame on a CPU, or \
an upscale model, does.
- **height**, **width**, **fit**: exact, whatever the clip's shape.

Stopped in the last step? **Run** again: finished parts of the large clip are kept. The next clip wants \
another **noise_seed**: set *control after generate* to *randomize*, or type one."""


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
        stacks=_stage(EDIT_CLIP, 720, source, *edits, loaders=("1", "9")),
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


def _edit_by_instruction() -> Layout:
    groups = (
        Group(title="2  A source clip", columns=(("2", "3", "4"), ("5", "6"), ("7", "8"))),
        Group(title="3  What to change", columns=(("9", "10"),)),
        Group(title="4  Edit", columns=(("11", "12", "13", "14", "15"), ("16", "17", "18"))),
        Group(title="5  Only what changed", columns=(("19", "20"),)),
    )
    return Layout(
        stacks=_stage(EDIT_BY_INSTRUCTION, 560, *groups),
        fixed=("5", "12"),
        pictures=(("8", "8"), ("20", "20")),
    )


def _face_into_a_clip() -> Layout:
    groups = (
        Group(title="2  The face", columns=(("2", "3"), ("4",))),
        Group(title="3  The clip", columns=(("5", "6", "7", "8"), ("9", "10"))),
        Group(title="4  How like it is", columns=(("11", "14"), ("12", "13"))),
    )
    return Layout(stacks=_stage(FACE_INTO_A_CLIP, 560, *groups), fixed=("9",), pictures=(("13", "13"),) * 2)


SAME_AGAIN = ("7",)
"""Their clip is the same in the next run, so that an upscale that was stopped can go on with it."""


def _source(note: str, height: int, *after: Group, long: bool = False) -> tuple[tuple[Row, ...], ...]:
    """What makes a clip of words in all workflows of long and large clips, and what comes after it."""
    sample = ("20", "5", "6", "7") if long else ("5", "6", "7")
    return _stage(
        note,
        height,
        Group(title="2  Words and size", columns=(("2", "3", "4"),)),
        Group(title="3  Sample", columns=(sample,)),
        Group(title="4  Clip as a stream", columns=(("8",),)),
        *after,
    )


def _upscale(note: str, name: str) -> Layout:
    large = Group(title="5  Large", columns=(("9",), ("10", "11")))
    return Layout(stacks=_source(note, 660, large), fixed=SAME_AGAIN, pictures=((name,),))


def _redraw() -> Layout:
    large = (
        Group(title="5  What to draw with", columns=(("9", "10"),)),
        Group(title="6  Large", columns=(("11",), ("12", "13"))),
    )
    return Layout(stacks=_source(REDRAW, 560, *large), fixed=SAME_AGAIN, pictures=(("13",), ("13",)))


def _long_clip() -> Layout:
    seen = Group(title="5  Save and measure", columns=(("9",), ("10", "11")))
    return Layout(
        stacks=_source(LONG, 560, seen, long=True), pictures=(("9",) * 4, ("9",) * 4, ("9",) * 4, ("9",) * 4)
    )


def _film() -> Layout:
    sound = Group(title="5  Sound", columns=(("21",), ("22",)))
    large = Group(title="6  Large", columns=(("9",), ("10",)))
    return Layout(
        stacks=_source(FILM, 520, sound, large, long=True),
        fixed=(*SAME_AGAIN, "22"),
        pictures=(("10", "10"), ("10", "10")),
    )


SOURCE = Group(title="2  A clip", columns=(("2", "3"), ("4", "5", "6"), ("7",), ("8", "9")))


def _sound_for_any_video() -> Layout:
    sound = (
        Group(title="3  Sound", columns=(("20",), ("21",))),
        Group(title="4  Clip with sound", columns=(("22",), ("23",))),
    )
    first, (row,) = _stage(ANY_SOUND, 640, SOURCE)
    return Layout(stacks=(first, (row, sound)), fixed=("7",), pictures=(("22",) * 3, ("23",)))


def _text_to_video_with_sound() -> Layout:
    sound = (
        Group(title="3  What is seen, what is said", columns=(("20", "21"), ("22", "23"))),
        Group(title="4  Sample", columns=(("24", "25"), ("26",))),
        Group(title="5  Clip with sound", columns=(("27", "28"), ("29",), ("30",))),
    )
    first, (row,) = _stage(VIDEO_WITH_SOUND, 520, SOURCE)
    return Layout(stacks=(first, (row, sound)), pictures=(("29",) * 3, ("30",)))


def _extend_sound() -> Layout:
    beginning = (
        Group(title="2  Words and length", columns=(("21", "22"),)),
        Group(title="3  Sample a beginning", columns=(("23", "24"), ("25",))),
        Group(title="4  Hear it", columns=(("26", "30"),)),
    )
    rest = (
        Group(title="5  Let it go on", columns=(("27",),)),
        Group(title="6  Sample what follows", columns=(("28",),)),
        Group(title="7  The whole", columns=(("29", "31"), ("32",))),
    )
    read = Group(columns=((Note(text=EXTEND, size=(400, 560)),),))
    first = (Group(title="1  Load", columns=(("20",),)),), (read,)
    return Layout(stacks=(first, (beginning, rest)), pictures=(("32",),))


def _effects_and_music_as_stems() -> Layout:
    parts = (
        Group(title="3  Load, watch", columns=(("20", "21"), ("22", "23"))),
        Group(title="4  Effects, the best of four", columns=(("24", "25"), ("26",), ("27", "28"))),
        Group(title="5  Music", columns=(("34", "35"), ("36",), ("37",))),
    )
    end = (
        Group(title="6  Mix", columns=(("40",),)),
        Group(title="7  Stems", columns=(("41", "42"),)),
        Group(title="8  Clip with sound", columns=(("43",), ("44",), ("45",))),
    )
    first, (row,) = _stage(STEMS, 620, SOURCE)
    return Layout(stacks=(first, (row, parts, end)), fixed=("7",), pictures=(("44",) * 3, ("45",)))


LAYOUTS = {
    "text_to_video": _text_to_video(),
    "text_to_image": _text_to_image(),
    "compare_schedules": _compare_schedules(),
    "video_to_video": _video_to_video(),
    "edit_clip": _edit_clip(),
    "keep_the_rest": _keep_the_rest(),
    "flow_edit": _flow_edit(),
    "edit_by_instruction": _edit_by_instruction(),
    "face_into_a_clip": _face_into_a_clip(),
    "long_clip": _long_clip(),
    "upscale_to_1080p": _upscale(UPSCALE, "11"),
    "upscale_with_esrgan": _upscale(ESRGAN, "11"),
    "upscale_by_sampling": _redraw(),
    "text_to_video_to_1080p": _film(),
    "sound_for_any_video": _sound_for_any_video(),
    "text_to_video_with_sound": _text_to_video_with_sound(),
    "extend_sound": _extend_sound(),
    "effects_and_music_as_stems": _effects_and_music_as_stems(),
}
