"""The board: qemu's generic one, called a Raspberry Pi 4, with neither pins nor a clock of its own.

Without the generic board's pins gpio-sim's chip is the first, and without its clock the guest
starts as a Pi does: at no time in particular.
"""

from collections.abc import Sequence
from pathlib import Path

from emulated import work

MODEL = "Raspberry Pi 4 Model B Rev 1.4"
REVISION = "c03114"
MEMORY = "1024M"


def machine() -> list[str]:
    """What the machine is; the device tree depends on it."""
    return [
        *("-M", "virt,memory-backend=memory", "-cpu", "cortex-a72", "-smp", "1", "-m", MEMORY),
        *("-object", f"memory-backend-memfd,id=memory,size={MEMORY},share=on"),
    ]


def edits(tree: str) -> list[list[str]]:
    """The commands that make the Pi's device tree of the generic one."""
    return [
        ["fdtput", "-t", "s", tree, "/", "model", MODEL],
        ["fdtput", "-c", tree, "/system"],
        ["fdtput", "-t", "x", tree, "/system", "linux,revision", REVISION],
        ["fdtput", "-r", tree, "/gpio-keys", "/pl061@9030000", "/pl031@9010000"],
    ]


def device_tree(out: Path, log: Path) -> None:
    """Write the device tree.

    Raises:
        UnavailableError: a program fails.
    """
    kind = [word.replace("virt,", f"virt,dumpdtb={out},") for word in machine()]
    work.run(["qemu-system-aarch64", *kind, "-display", "none", "-nic", "none"], log, within_s=60)
    for command in edits(str(out)):
        work.run(command, log, within_s=10)


def command(
    kernel: Path, guest: Path, log: Path, *, slow: bool, words: Sequence[str] = ()
) -> list[str]:
    """The command that is the guest: kernel and initramfs from ``kernel``, the rest in ``guest``.

    ``slow``: the guest's clock counts instructions, a nanosecond each, so that work which takes an
    emulated processor long takes the guest as long as it would a Pi. ``words`` are for the guest's
    ``hardware``: rig.broker=PORT of this machine, rig.date=SECONDS since 1970.
    """
    told = "console=ttyAMA0,115200 root=/dev/vda rw quiet panic=5 systemd.show_status=0"
    return [
        "qemu-system-aarch64",
        *machine(),
        *("-accel", "tcg", "-display", "none", "-no-reboot"),
        *(("-icount", "shift=0") if slow else ()),
        *("-dtb", str(guest / "board.dtb"), "-kernel", str(kernel / "vmlinuz")),
        *("-initrd", str(kernel / "initrd.gz"), "-append", " ".join([told, *words])),
        # A card that keeps what it said it wrote, and nothing else, when the power goes.
        *("-drive", f"file={guest / 'disk.img'},if=none,id=disk,format=raw,cache=writethrough"),
        *("-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci"),
        *("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="),
        *("-chardev", f"socket,id=i2c,path={guest / 'i2c'}"),
        *("-device", "vhost-user-i2c-pci,chardev=i2c,event_idx=off"),
        *("-chardev", f"socket,id=serial,path={guest / 'serial'},server=on,wait=off,logfile={log}"),
        *("-serial", "chardev:serial"),
    ]
