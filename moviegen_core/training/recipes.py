"""Every training run of the nano cast as data."""

from dataclasses import replace

from .latents import Bucket, LatentConfig
from .loop import LoopConfig
from .losses import TaeLossConfig
from .optimizer import OptimizerConfig
from .pool import PoolConfig
from .train_tae import Crop, TaePhase, TaeRecipe
from .train_video import VideoRecipe, VideoStage

TAE_NANO = TaeRecipe(
    preset="nano",
    loop=LoopConfig(
        optimizer=OptimizerConfig(learning_rate=3e-3), num_steps=4000, warmup_steps=100, ema_decay=0.998
    ),
    pool=PoolConfig(),
    phases=(
        TaePhase(until=0.85, clips=Crop(batch=8, frames=16, height=64, width=64), losses=TaeLossConfig()),
        TaePhase(
            until=1.0,
            clips=Crop(batch=2, frames=32, height=80, width=96),
            losses=TaeLossConfig(square=2.0),
        ),
    ),
    images=Crop(batch=24, frames=1, height=96, width=96),
)

RATES = (16, 16, 16, 24, 12, 8)

VIDEO_NANO = VideoRecipe(
    preset="nano",
    loop=LoopConfig(optimizer=OptimizerConfig(learning_rate=4e-3), num_steps=6000, warmup_steps=200),
    latents=LatentConfig(
        buckets=(
            Bucket(height=112, width=192, num_frames=1, frame_rates=RATES, weight=3),
            Bucket(height=144, width=144, num_frames=1, frame_rates=RATES, weight=1),
            Bucket(height=192, width=112, num_frames=1, frame_rates=RATES, weight=1),
            Bucket(height=112, width=192, num_frames=32, frame_rates=RATES, weight=6),
            Bucket(height=144, width=144, num_frames=32, frame_rates=RATES, weight=1),
            Bucket(height=192, width=112, num_frames=32, frame_rates=RATES, weight=1),
            Bucket(height=112, width=192, num_frames=16, frame_rates=RATES, weight=1),
            Bucket(height=112, width=192, num_frames=64, frame_rates=RATES, weight=1),
        ),
    ),
    stages=(
        VideoStage(until=0.3, bucket_weights=(6, 1, 1, 0, 0, 0, 0, 0)),
        VideoStage(until=1.0, bucket_weights=(3, 1, 1, 12, 1, 1, 1, 1)),
    ),
    tokens_per_step=10_752,
    first_shards=48,
    steps_per_shard=12,
)

VIDEO_NANO_DRAFT = replace(
    VIDEO_NANO,
    loop=replace(VIDEO_NANO.loop, num_steps=420, warmup_steps=56),
    stages=(
        VideoStage(until=0.3, bucket_weights=(6, 1, 1, 0, 0, 0, 0, 0)),
        VideoStage(until=1.0, bucket_weights=(3, 1, 1, 12, 0, 0, 0, 0)),
    ),
    first_shards=112,
    steps_per_shard=10**6,
)
"""Half an hour on two cores: wide clips and pictures only. It made the first weights that were shipped."""
