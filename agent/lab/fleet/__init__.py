"""Many kiosks' sides of MQTT in one process, against a broker and the reference backend."""
