"""The whole command line: every command's options, without heavy imports."""

import argparse

from .options.edit import add_composite, add_edit, add_personalize
from .options.shared import Parser
from .options.sound import add_extend, add_mix, add_sound
from .options.video import add_generate, add_reconstruct, add_upscale
from .options.work import add_evaluate, add_run, add_theatre, add_train

VIDEO = (add_generate, add_edit, add_personalize, add_composite, add_upscale, add_reconstruct)
SOUND = (add_sound, add_extend, add_mix)
WORK = (add_theatre, add_train, add_evaluate, add_run)


def make_parser() -> argparse.ArgumentParser:
    """All commands, in the order of their help."""
    parser = Parser(prog="moviegen", description="A sentence becomes a clip, offline, on a laptop.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)
    for add in (*VIDEO, *SOUND, *WORK):
        add(commands)
    return parser
