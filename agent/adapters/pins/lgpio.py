"""gpiozero's lgpio pins, but for the first moment of an output.

gpiozero makes a line an output first, which lgpio does at low, and writes its level then: an
active-low relay would be energised in between, for as long as the scheduler likes, or until the
next start where the process dies there. The kernel takes direction and level in one request, and
lgpio's ``gpio_claim_output`` passes both on. Only importable where lgpio is.

Letting go makes the line a floating input (gpiozero), and so may the kernel when the process dies,
or not: that depends on the Pi and its kernel. So the relay board needs a resistor that holds its
input at rest, and a dead agent's outputs are secured by ``gate-agent secure-outputs``.
"""

from typing import Any

from gpiozero.pins import lgpio as backend


class SteadyPin(backend.LGPIOPin):  # type: ignore[misc] # gpiozero has no types
    """An lgpio pin whose outputs begin at their level."""

    def output_with_state(self, state: int) -> None:
        """Claim the line as an output at ``state``: one request to the kernel."""
        handle: Any = self.factory._handle  # noqa: SLF001 - as its parent class does
        backend.lgpio.gpio_claim_output(handle, self._number, int(state))


class SteadyFactory(backend.LGPIOFactory):  # type: ignore[misc] # gpiozero has no types
    """A factory of them, on the chip that gpiozero chooses for this Pi."""

    def __init__(self) -> None:
        super().__init__()
        self.pin_class = SteadyPin
