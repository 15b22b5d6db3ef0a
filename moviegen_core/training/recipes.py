"""Every training run of the nano cast as data."""

from dataclasses import replace

from ..flow.guidance import USUAL_PULLS
from .close_ups import CloseUps
from .edit_pairs import ANIMATED, FILMED, MARKED, PairBucket
from .latents import Bucket, LatentConfig
from .loop import LoopConfig
from .losses import TaeLossConfig
from .optimizer import OptimizerConfig
from .pairs import PairConfig
from .pool import PoolConfig
from .sound_latents import SoundLatentConfig
from .sound_losses import SoundLossConfig
from .sounds import SoundPoolConfig
from .train_audio import AudioRecipe
from .train_codec import CodecPhase, CodecRecipe
from .train_edit import EditRecipe, EditStage
from .train_identity import IdentityRecipe
from .train_personalized import PersonalizedRecipe, PersonalizedStage
from .train_shared import SharedRecipe
from .train_tae import Crop, TaePhase, TaeRecipe
from .train_text import TextRecipe
from .train_upsampler import UpsamplerRecipe
from .train_video import VideoRecipe, VideoStage

TAE_NANO_IMAGES = TaeRecipe(
    preset="nano",
    flat=True,
    loop=LoopConfig(
        optimizer=OptimizerConfig(learning_rate=1.5e-3), num_steps=1200, warmup_steps=20, ema_decay=0.99
    ),
    pool=PoolConfig(group_size=48, num_frames=3, frame_rates=(1,), steps_per_group=16),
    phases=(
        TaePhase(until=1.0, clips=Crop(batch=24, frames=1, height=96, width=96), losses=TaeLossConfig()),
    ),
    images=Crop(batch=24, frames=1, height=96, width=96),
)
"""Frames of a clip resemble each other; pictures do not, and teach space in fewer steps."""

TAE_NANO = TaeRecipe(
    preset="nano",
    first=TAE_NANO_IMAGES,
    loop=LoopConfig(
        optimizer=OptimizerConfig(learning_rate=5e-4), num_steps=4000, warmup_steps=100, ema_decay=0.995
    ),
    pool=PoolConfig(),
    phases=(
        TaePhase(until=0.5, clips=Crop(batch=8, frames=16, height=64, width=64), losses=TaeLossConfig()),
        TaePhase(
            until=0.85,
            clips=Crop(batch=8, frames=16, height=64, width=64),
            losses=TaeLossConfig(square=5.0),
        ),
        TaePhase(
            until=1.0,
            clips=Crop(batch=2, frames=32, height=80, width=96),
            losses=TaeLossConfig(square=5.0),
        ),
    ),
    images=Crop(batch=6, frames=1, height=96, width=96),
)

RATES = (16, 16, 16, 24, 12, 8)

TEXT_NANO = TextRecipe(
    loop=LoopConfig(
        optimizer=OptimizerConfig(learning_rate=2e-3), num_steps=400, warmup_steps=40, ema_decay=0.98
    ),
)

VIDEO_NANO = VideoRecipe(
    preset="nano",
    text=TEXT_NANO,
    loop=LoopConfig(optimizer=OptimizerConfig(learning_rate=3e-3), num_steps=6000, warmup_steps=100),
    latents=LatentConfig(
        buckets=(
            Bucket(height=112, width=192, num_frames=1, frame_rates=RATES, weight=16),
            Bucket(height=144, width=144, num_frames=1, frame_rates=RATES, weight=2),
            Bucket(height=192, width=112, num_frames=1, frame_rates=RATES, weight=2),
            Bucket(height=112, width=192, num_frames=32, frame_rates=RATES, weight=6),
            Bucket(height=144, width=144, num_frames=32, frame_rates=RATES, weight=1),
            Bucket(height=192, width=112, num_frames=32, frame_rates=RATES, weight=1),
            Bucket(height=112, width=192, num_frames=16, frame_rates=RATES, weight=1),
            Bucket(height=112, width=192, num_frames=64, frame_rates=RATES, weight=1),
        ),
    ),
    stages=(
        VideoStage(until=0.2, bucket_weights=(10, 2, 2, 0, 0, 0, 0, 0)),
        VideoStage(until=0.8, bucket_weights=(10, 2, 2, 4, 1, 1, 1, 1)),
        VideoStage(until=1.0, bucket_weights=(4, 1, 1, 9, 1, 1, 1, 1)),
    ),
    tokens_per_step=5_376,
    first_shards=240,
    views=(32, 32, 32, 4, 4, 4, 4, 4),
)

CODEC_NANO = CodecRecipe(
    preset="nano",
    loop=LoopConfig(
        optimizer=OptimizerConfig(learning_rate=7e-4), num_steps=6000, warmup_steps=50, ema_decay=0.995
    ),
    pool=SoundPoolConfig(),
    phases=(
        CodecPhase(until=0.8, batch=12, latent_frames=25, losses=SoundLossConfig()),
        CodecPhase(until=1.0, batch=4, latent_frames=75, losses=SoundLossConfig()),
    ),
)

AUDIO_NANO = AudioRecipe(
    preset="nano",
    text=replace(TEXT_NANO, batch=32, first_seed=12_000_000),
    watching=LoopConfig(
        optimizer=OptimizerConfig(learning_rate=2e-3), num_steps=1600, warmup_steps=30, ema_decay=0.99
    ),
    loop=LoopConfig(optimizer=OptimizerConfig(learning_rate=2e-3), num_steps=4000, warmup_steps=100),
    latents=SoundLatentConfig(),
    lengths=(100, 100, 200),
    frames_per_step=2000,
    first_shards=160,
    steps_per_shard=40,
)

UPSAMPLER_NANO = UpsamplerRecipe(
    preset="nano",
    frames_loop=LoopConfig(
        optimizer=OptimizerConfig(learning_rate=1.5e-3), num_steps=2600, warmup_steps=20, ema_decay=0.99
    ),
    loop=LoopConfig(
        optimizer=OptimizerConfig(learning_rate=2e-3), num_steps=5000, warmup_steps=50, ema_decay=0.995
    ),
    pairs=PairConfig(),
    frames_losses=TaeLossConfig(square=5.0, kl=1e-5),
)
"""First the autoencoder of single frames, then detail; a GPU takes it whole, a CPU in an evening."""

EDIT_NANO = EditRecipe(
    loop=LoopConfig(optimizer=OptimizerConfig(learning_rate=1e-3), num_steps=4000, warmup_steps=100),
    pairs=LatentConfig(
        buckets=(
            PairBucket(height=112, width=192, num_frames=1, frame_rates=RATES, weight=6, kind=FILMED),
            PairBucket(height=112, width=192, num_frames=1, frame_rates=RATES, weight=1, kind=MARKED),
            PairBucket(height=112, width=192, num_frames=32, frame_rates=RATES, weight=6, kind=FILMED),
            PairBucket(height=112, width=192, num_frames=32, frame_rates=RATES, weight=2, kind=ANIMATED),
            PairBucket(height=112, width=192, num_frames=32, frame_rates=RATES, weight=1, kind=MARKED),
        ),
        first_seed=8_000_000,
    ),
    stages=(
        EditStage(until=0.4, bucket_weights=(6, 1, 0, 0, 0), lessons=(("edit", 5.0), ("text", 1.0))),
        EditStage(until=0.85, bucket_weights=(2, 0, 6, 2, 1), lessons=(("edit", 4.0), ("text", 1.0))),
        EditStage(
            until=1.0,
            bucket_weights=(0, 0, 1, 0, 0),
            lessons=(("edit", 2.0), ("back", 2.0), ("text", 1.0)),
        ),
    ),
    tokens_per_step=5_376,
    shards=160,
    back_guidance=USUAL_PULLS,
)

PERSONALIZED_NANO = PersonalizedRecipe(
    identity=IdentityRecipe(
        preset="nano",
        loop=LoopConfig(
            optimizer=OptimizerConfig(learning_rate=1e-3), num_steps=1500, warmup_steps=30, ema_decay=0.99
        ),
    ),
    loop=LoopConfig(optimizer=OptimizerConfig(learning_rate=1e-3), num_steps=3000, warmup_steps=100),
    latents=LatentConfig(
        buckets=(
            Bucket(height=112, width=192, num_frames=8, frame_rates=RATES, weight=3),
            Bucket(height=112, width=192, num_frames=32, frame_rates=RATES, weight=2),
        ),
        first_seed=9_000_000,
    ),
    stages=(
        PersonalizedStage(until=0.5, bucket_weights=(1, 0), cross=0.0, tune_encoder=False),
        PersonalizedStage(until=0.75, bucket_weights=(1, 4), cross=0.0, tune_encoder=False),
        PersonalizedStage(until=1.0, bucket_weights=(1, 4), cross=0.8, tune_encoder=True),
    ),
    tokens_per_step=5_376,
    shards=100,
)
"""The paper's first stage has 64 frames of 256; eight of 32 are the same share."""

SHARED_NANO = SharedRecipe(
    loop=LoopConfig(optimizer=OptimizerConfig(learning_rate=2e-3), num_steps=4000, warmup_steps=50),
    subjects=(("video", 5.0), ("edit", 3.5), ("face", 1.5)),
    video=replace(
        VIDEO_NANO,
        text=None,
        stages=(
            VideoStage(until=0.5, bucket_weights=(10, 2, 2, 4, 1, 1, 1, 1)),
            VideoStage(until=1.0, bucket_weights=(6, 1, 1, 8, 1, 1, 1, 1)),
        ),
        first_shards=480,
        views=(32, 32, 32, 2, 2, 2, 2, 2),
        close_ups=CloseUps(share=0.6, box=(2, 5, 6), tokens_per_step=2_880),
    ),
    edit=replace(
        EDIT_NANO,
        pairs=LatentConfig(
            buckets=(
                PairBucket(height=112, width=192, num_frames=1, frame_rates=RATES, weight=24, kind=FILMED),
                PairBucket(height=112, width=192, num_frames=1, frame_rates=RATES, weight=4, kind=MARKED),
                PairBucket(height=112, width=192, num_frames=32, frame_rates=RATES, weight=4, kind=FILMED),
                PairBucket(height=112, width=192, num_frames=32, frame_rates=RATES, weight=2, kind=ANIMATED),
                PairBucket(height=112, width=192, num_frames=32, frame_rates=RATES, weight=1, kind=MARKED),
            ),
            first_seed=8_000_000,
        ),
        stages=(
            EditStage(until=0.35, bucket_weights=(6, 1, 0, 0, 0), lessons=(("edit", 1.0),)),
            EditStage(until=0.8, bucket_weights=(4, 0, 5, 2, 1), lessons=(("edit", 1.0),)),
            EditStage(until=1.0, bucket_weights=(1, 0, 3, 0, 0), lessons=(("edit", 2.0), ("back", 1.0))),
        ),
        shards=140,
    ),
    personalized=replace(PERSONALIZED_NANO, shards=40),
)
"""Goes on from a cast that makes clips of text; text to video takes half of all lessons to the end."""
