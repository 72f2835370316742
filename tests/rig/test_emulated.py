"""What of the rig needs no machine: names, command lines, the console, the bus by its protocol."""

import array
import errno
import mmap
import os
import socket
import struct
import tarfile
import threading

import pytest
from emulated import board, commands, console, kernel, machine, parts, places, work
from emulated.thermometers import Backend, Queue

from agent.adapters.thermometer.simulated_i2c import FakeBus
from agent.adapters.thermometer.simulated_mlx90614 import SimulatedMlx90614
from agent.errors import RefusedError, UnavailableError


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({"RIG": "/x/y", "XDG_CACHE_HOME": "/z"}, "/x/y"),
        ({"XDG_CACHE_HOME": "/z", "HOME": "/h"}, "/z/gate-agent-rig"),
        ({"HOME": "/h"}, "/h/.cache/gate-agent-rig"),
    ],
)
def test_the_cache_is_named_by_rig_or_lies_in_the_users(environment, found):
    assert str(places.cache(environment)) == found


def test_a_key_tells_where_one_thing_ends_and_the_next_begins():
    assert places.key("ab", "c") == places.key("ab", b"c")
    assert len({places.key("ab", "c"), places.key("a", "bc"), places.key("abc")}) == 3


def test_what_is_cut_short_has_no_name_and_is_made_anew(tmp_path):
    def dies(new):
        new.mkdir()
        (new / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        places.made(tmp_path / "part", dies)
    assert not (tmp_path / "part").exists()
    places.made(tmp_path / "part", lambda new: new.mkdir())
    assert list((tmp_path / "part").iterdir()) == []
    places.made(tmp_path / "part", dies)  # it is there, so nothing is made


def test_one_run_holds_the_cache_at_a_time(tmp_path):
    with (
        places.alone(tmp_path),
        pytest.raises(RefusedError, match="another scripts/rig"),
        places.alone(tmp_path),
    ):
        pass
    with places.alone(tmp_path):
        pass  # the first has let it go


def test_missing_programs_are_one_line_of_apt():
    have = {
        "make",
        "xz",
        "depmod",
        "dpkg-deb",
        "unshare",
        "mke2fs",
        "e2fsck",
        "debugfs",
        "cpio",
        "fdtput",
    }
    line = work.missing(lambda program: program if program in have else None)
    assert line == (
        "apt-get install --no-install-recommends debootstrap gcc-12-aarch64-linux-gnu"
        " qemu-system-arm qemu-user-static"
    )
    assert work.missing(lambda program: program) is None


def test_a_program_that_fails_or_lasts_is_told_with_its_last_words(tmp_path):
    log = tmp_path / "log"
    assert work.run(["sh", "-c", "echo out; cat"], log, within_s=30, feed=b"fed") == "out\nfed"
    with pytest.raises(UnavailableError, match=r"failed \(3\):\nlast words"):
        work.run(["sh", "-c", "echo last words; exit 3"], log, within_s=30)
    with pytest.raises(UnavailableError, match="took longer"):
        work.run(["sleep", "600"], log, within_s=0.1)
    assert "$ sleep 600" in log.read_text()


def test_modules_load_after_what_they_need_and_built_in_ones_not_at_all():
    table = kernel.parsed_dependencies(
        "fs/ext4.ko: fs/jbd2.ko lib/crc16.ko\nfs/jbd2.ko:\nlib/crc16.ko:\n"
    )
    assert kernel.load_order(["virtio-pci", "ext4", "jbd2"], table) == [
        *("lib/crc16.ko", "fs/jbd2.ko", "fs/ext4.ko")
    ]


def test_another_kernels_source_is_refused():
    assert "irq_data_to_desc(irq_get_irq_data(irqnum))" in kernel.without_private_symbol(
        "x = irq_to_desc(irqnum);"
    )
    with pytest.raises(UnavailableError):
        kernel.without_private_symbol("")


def test_the_board_is_called_a_pi_and_has_neither_pins_nor_a_clock():
    words = [" ".join(command) for command in board.edits("/t.dtb")]
    assert words[0] == "fdtput -t s /t.dtb / model Raspberry Pi 4 Model B Rev 1.4"
    assert words[-1].endswith("/gpio-keys /pl061@9030000 /pl031@9010000")


@pytest.mark.parametrize("slow", [False, True])
def test_the_guests_command_line(tmp_path, slow):
    line = " ".join(board.command(tmp_path / "k", tmp_path / "g", tmp_path / "log", slow=slow))
    assert ("-icount shift=0" in line) is slow
    assert f"file={tmp_path}/g/disk.img,if=none,id=disk,format=raw,cache=writethrough" in line
    assert "vhost-user-i2c-pci,chardev=i2c,event_idx=off" in line
    assert "memory-backend=memory" in line


def test_a_commands_answer_is_told_from_its_echo():
    line = console.typed("echo hello; false", "12345678")
    # The prompt of the command before may come late.
    heard = b"\r\nroot@gate:~# " + line.encode().replace(b"\n", b"\r\n")
    assert console.parsed(heard, "12345678") is None
    heard += b"\x1b[?2004l[12345678]\r\nhello\r\n<12345678 1>\r\nroot@gate:~# "
    assert console.parsed(heard, "12345678") == console.Answer("hello", 1)


@pytest.mark.parametrize("command", ["", "  ", "a\nb", "x" * console.LONGEST])
def test_what_no_console_takes_is_refused(command):
    with pytest.raises(RefusedError):
        console.typed(command, "12345678")


def test_a_console_that_answers_and_one_that_is_silent(tmp_path):
    path = tmp_path / "serial"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)

        def guest():
            link, _ = server.accept()
            with link, link.makefile("rb") as lines:
                line = lines.readline()
                mark = line.split(b'"<')[1].split(b" ")[0].replace(b'""', b"")
                link.sendall(line + b"[" + mark + b"]\r\nup 1 day\r\n<" + mark + b" 0>\r\n")

        thread = threading.Thread(target=guest)
        thread.start()
        assert console.ask(path, "uptime", 30) == console.Answer("up 1 day", 0)
        thread.join(30)
        with pytest.raises(UnavailableError, match="no answer within"):
            console.ask(path, "uptime", 0.1)
    with pytest.raises(UnavailableError, match="no guest runs"):
        console.ask(tmp_path / "none", "uptime", 1)


def test_a_process_id_that_another_program_has_by_now_is_left_alone(tmp_path):
    guest = machine.Guest(tmp_path, tmp_path / "kernel")
    guest.folder.mkdir()
    (guest.folder / "qemu.pid").write_text(str(os.getpid()))
    assert guest.pid("qemu") is None
    assert not guest.running
    with pytest.raises(RefusedError):
        guest.cut()
    guest.down()
    guest.down()
    assert not guest.folder.exists()


def test_without_a_guest_the_command_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RIG", str(tmp_path))
    assert commands.main(["sh", "true"]) == 69
    assert commands.main(["cut"]) == 1
    assert commands.main(["down"]) == 0
    said = capsys.readouterr()
    assert "Fix: scripts/rig up" in said.err
    assert said.out == ""


_HEAD = struct.Struct("<III")
_SIZE, _GUEST_AT, _QEMU_AT = 0x4000, 0x4000_0000, 0x7F00_0000
_DESCRIPTORS, _AVAILABLE, _USED, _TABLE, _DATA = 0x0, 0x100, 0x200, 0x400, 0x800


class Driver:
    """The guest's driver and qemu in one: a queue of four places in a memory of its own."""

    def __init__(self, bus):
        descriptor = os.memfd_create("guest")
        os.ftruncate(descriptor, _SIZE)
        self.memory = mmap.mmap(descriptor, _SIZE)
        self.link, far = socket.socketpair()
        self.link.settimeout(30)
        self.kick, self.call = os.eventfd(0), os.eventfd(0)
        self.thread = threading.Thread(target=self._serve, args=(far, Queue(bus)))
        self.thread.start()
        self.sent = 0
        self.say(5, struct.pack("<IIQQQQ", 1, 0, _GUEST_AT, _SIZE, _QEMU_AT, 0), descriptor)
        self.say(8, struct.pack("<II", 0, 4))
        self.say(10, struct.pack("<II", 0, 0))
        places_ = (_QEMU_AT + _DESCRIPTORS, _QEMU_AT + _USED, _QEMU_AT + _AVAILABLE)
        self.say(9, struct.pack("<IIQQQQ", 0, 0, *places_, 0))
        self.say(13, struct.pack("<Q", 0), self.call)
        self.say(12, struct.pack("<Q", 0), self.kick)

    @staticmethod
    def _serve(far, queue):
        with far:
            Backend(far, queue).run()

    def say(self, kind, body=b"", *files):
        extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
        self.link.sendmsg([_HEAD.pack(kind, 9, len(body)), body], extra)
        head = _HEAD.unpack(self.link.recv(_HEAD.size))
        assert head[0] == kind
        return self.link.recv(head[2])

    def transfer(self, *messages):
        """Each (address, bytes to write or count to read); the answers, None where it failed."""
        for i, (address, what) in enumerate(messages):
            reads = isinstance(what, int)
            at = _DATA + 0x100 * i
            flags = (2 if reads else 0) | (1 if i < len(messages) - 1 else 0)
            self.memory[at : at + 8] = struct.pack("<HHI", address << 1, 0, flags)
            size = what if reads else len(what)
            if not reads:
                self.memory[at + 16 : at + 16 + size] = what
            table = _TABLE + 0x80 * i
            pieces = [(at, 8, 1), (at + 16, size, 3 if reads else 1), (at + 8, 1, 2)]
            self.memory[at + 8] = 0xFF
            for k, (where, length, kind) in enumerate(pieces):
                entry = struct.pack("<QIHH", _GUEST_AT + where, length, kind, k + 1)
                self.memory[table + 16 * k : table + 16 * (k + 1)] = entry
            entry = struct.pack("<QIHH", _GUEST_AT + table, 48, 4, 0)
            self.memory[_DESCRIPTORS + 16 * i : _DESCRIPTORS + 16 * (i + 1)] = entry
            place = _AVAILABLE + 4 + 2 * ((self.sent + i) % 4)
            self.memory[place : place + 2] = struct.pack("<H", i)
        self.sent += len(messages)
        self.memory[_AVAILABLE + 2 : _AVAILABLE + 4] = struct.pack("<H", self.sent & 0xFFFF)
        os.eventfd_write(self.kick, 1)
        os.eventfd_read(self.call)
        assert struct.unpack("<H", self.memory[_USED + 2 : _USED + 4])[0] == self.sent & 0xFFFF
        answers = []
        for i, (_, what) in enumerate(messages):
            at = _DATA + 0x100 * i
            size = what if isinstance(what, int) else 0
            answers.append(
                self.memory[at + 16 : at + 16 + size] if not self.memory[at + 8] else None
            )
        return answers

    def close(self):
        self.link.close()
        self.thread.join(30)
        assert not self.thread.is_alive()
        os.close(self.kick)
        os.close(self.call)


@pytest.fixture
def bus():
    return FakeBus({0x5A: SimulatedMlx90614(starts_after_s=0.0)})


@pytest.fixture
def driver(bus):
    made = Driver(bus)
    yield made
    made.close()


def test_a_read_of_the_guest_is_the_parts_own_bytes(driver, bus):
    expected = FakeBus({0x5A: SimulatedMlx90614(starts_after_s=0.0)}).parts[0x5A]
    expected.write(b"\x07")
    answers = driver.transfer((0x5A, b"\x07"), (0x5A, 3))
    assert answers == [b"", expected.read(3)]
    assert [(one.address, one.reads) for one in bus.transfers] == [(0x5A, False), (0x5A, True)]


def test_nobody_at_an_address_fails_the_whole_transfer_and_not_the_next(driver, bus):
    assert driver.transfer((0x33, b"\x00"), (0x33, 2)) == [None, None]
    bus.failures.append(errno.ETIMEDOUT)
    assert driver.transfer((0x5A, b"\x07"), (0x5A, 3)) == [None, None]
    for _ in range(6):  # the queue's four places come round
        assert driver.transfer((0x5A, b"\x06"), (0x5A, 3))[1] is not None


def test_qemu_is_told_what_the_backend_can_and_where_it_was(driver):
    assert struct.unpack("<Q", driver.say(1))[0] & 1 << 32
    driver.transfer((0x5A, b"\x07"), (0x5A, 3))
    assert struct.unpack("<II", driver.say(11, struct.pack("<II", 0, 0))) == (0, 2)


def test_a_state_folders_packs_go_along_and_nothing_secret(tmp_path):
    state = tmp_path / "state"
    (state / "models/retail").mkdir(parents=True)
    with pytest.raises(UnavailableError, match="no pack is installed"):
        parts.packed(state, tmp_path / "out.tar")
    for name in ("models/retail/installed.json", "pack.json", "gallery.key"):
        (state / name).touch()
    with tarfile.open(parts.packed(state, tmp_path / "out.tar")) as tar:
        found = {one.name for one in tar if one.isfile()}
    assert found == {"models/retail/installed.json", "pack.json"}
