"""Templates in few bits: as near as these allow, of any length, and refused where they are none."""

import numpy as np
import pytest
from pass_parts import template

from agent.credentials.passes.quantised import BITS, dequantise, quantise


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("components", [1, 2, 127, 128, 512])
def test_a_template_of_any_length_comes_back(bits: int, components: int) -> None:
    values = np.random.default_rng(components).normal(size=components).astype(np.float32)
    data = quantise(values, bits)
    assert len(data) == 4 + (components * bits + 7) // 8
    again = dequantise(data, bits, components)
    assert again.shape == (components,)
    # What was quantised once stays as it is.
    assert np.allclose(dequantise(quantise(again, 8), 8, components), again, atol=0.02)


def test_more_bits_are_nearer() -> None:
    values = template().template
    errors = [float(np.linalg.norm(dequantise(quantise(values, b), b, 128) - values)) for b in BITS]
    assert errors == sorted(errors)


@pytest.mark.parametrize("bits", BITS)
def test_nothing_but_zeroes_stays_so(bits: int) -> None:
    assert not dequantise(quantise(np.zeros(8, np.float32), bits), bits, 8).any()


@pytest.mark.parametrize("values", [[np.nan], [np.inf], [], [[1.0]]])
def test_what_is_no_template_is_not_quantised(values) -> None:
    with pytest.raises(ValueError, match="vector"):
        quantise(np.array(values, np.float32), 8)


@pytest.mark.parametrize(
    ("data", "bits", "components"),
    [
        (b"", 8, 1),
        (bytes(5), 8, 2),
        (bytes(5), 2, 1),
        (b"\xff\xff\xff\xff\x00", 8, 1),
        (b"\x00\x00\x80\x7f\x00", 8, 1),
        (b"\x00\x00\x80\xbf\x00", 8, 1),
        (bytes(4), 8, 0),
        (bytes(4), 8, -4),
        (bytes(4 + 5000), 8, 5000),
    ],
)
def test_what_is_no_quantised_template_is_refused(data: bytes, bits: int, components: int) -> None:
    with pytest.raises(ValueError, match="template"):
        dequantise(data, bits, components)
