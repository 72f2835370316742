"""One kiosk a file, begun on a new disk, with a broker on this machine."""

import pytest
from emulated import places
from mosquitto import PROGRAM, Mosquitto
from rig_parts import new_kiosk


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory):
    """A gate that is ready; its logs stay in the cache, the rest goes with the file's last test."""
    if PROGRAM is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    with places.alone(places.cache()):
        folder = tmp_path_factory.mktemp("broker")
        broker = Mosquitto(folder)
        made = new_kiosk(broker, folder)
        broker.start()
        try:
            made.boot()
            yield made
        finally:
            made.guest.down()
            broker.stop()
