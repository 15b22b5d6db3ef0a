import pytest
import torch
from torch.testing import assert_close

from moviegen_core.flow.guidance import EditGuidance, TextGuidance

V_FREE, V_VIDEO, V_BOTH = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0))


def test_guidance_1_is_the_conditional_velocity_and_needs_no_free_branch():
    assert_close(TextGuidance(1).combine(V_FREE, V_BOTH), V_BOTH)
    assert TextGuidance(1).is_off
    assert not TextGuidance(7.5).is_off


def test_guidance_0_forgets_the_prompt():
    assert_close(TextGuidance(0).combine(V_FREE, V_BOTH), V_FREE)
    assert not TextGuidance(0).is_off


@pytest.mark.parametrize("scale", [0.5, 2.0, 7.5])
def test_where_both_branches_agree_guidance_changes_nothing(scale):
    assert_close(TextGuidance(scale).combine(V_FREE, V_FREE), V_FREE)
    assert_close(EditGuidance(scale, 2 * scale).combine(V_FREE, V_FREE, V_FREE), V_FREE)


def test_edit_guidance_1_1_is_the_fully_conditioned_velocity():
    assert_close(EditGuidance(1, 1).combine(V_FREE, V_VIDEO, V_BOTH), V_BOTH)


@pytest.mark.parametrize("scale", [0.0, 1.5, 4.0])
def test_equal_edit_pulls_are_plain_guidance_toward_both_conditions(scale):
    edit = EditGuidance(scale, scale).combine(V_FREE, V_VIDEO, V_BOTH)
    assert_close(edit, TextGuidance(scale).combine(V_FREE, V_BOTH))


@pytest.mark.parametrize("scale", [0.0, 1.5, 4.0])
def test_without_a_text_pull_the_instruction_is_not_seen(scale):
    edit = EditGuidance(scale, 0).combine(V_FREE, V_VIDEO, V_BOTH)
    assert_close(edit, TextGuidance(scale).combine(V_FREE, V_VIDEO))
