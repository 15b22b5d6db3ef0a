"""Every training run of the nano cast as data."""

from .loop import LoopConfig
from .losses import TaeLossConfig
from .optimizer import OptimizerConfig
from .pool import PoolConfig
from .train_tae import Crop, TaePhase, TaeRecipe

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
