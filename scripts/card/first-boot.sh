#!/bin/bash
# Makes a kiosk of a Raspberry Pi with Raspberry Pi OS Lite, without a network: from the package, the
# wheels and the model packs that lie beside this file on the boot partition.
#
#   first-boot.sh arm    makes a service of `run` that begins at every boot until it is done
#   first-boot.sh run    the steps; each is done once, and one that was cut short is done again
#
# Lights: n flashes and a pause while step n is worked on, quick flashing where one failed, then
# steady. gate-first-boot.txt on the boot partition says the same in words.
set -uo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
boot=$(dirname -- "$here")
root=${GATE_FIRST_BOOT_ROOT:-}
done_in=$root/var/lib/gate-first-boot
unit=gate-first-boot.service
agent=$root/opt/gate-agent/current/bin/gate-agent
steps=(host package wheels packs config start)

say() {
  printf '%s\r\n' "$*" >>"$boot/gate-first-boot.txt"
  echo "$*"
}

arm() {
  local units=$root/etc/systemd/system
  mkdir -p "$units/multi-user.target.wants"
  cat >"$units/$unit" <<TEXT
[Unit]
Description=Makes a kiosk of this machine
After=local-fs.target systemd-udevd.service
ConditionPathExists=!/var/lib/gate-first-boot/all

[Service]
Type=oneshot
ExecStart=/bin/bash $here/first-boot.sh run
TimeoutStartSec=infinity
StandardOutput=journal+console

[Install]
WantedBy=multi-user.target
TEXT
  ln -sf "../$unit" "$units/multi-user.target.wants/$unit"
  sync
  # The words in the kernel's command line that brought us here, and only once the service is there.
  if grep -q ' systemd\.run=[^ ]*first-boot' "$boot/cmdline.txt" 2>/dev/null; then
    sed 's| systemd\.run=[^ ]*||; s| systemd\.run_success_action=[^ ]*||; s| systemd\.unit=kernel-command-line\.target||' \
      "$boot/cmdline.txt" >"$boot/cmdline.new" && sync && mv "$boot/cmdline.new" "$boot/cmdline.txt"
    sync
  fi
}

leds() {
  local one
  for one in "$root"/sys/class/leds/{ACT,led0}; do
    [[ -e $one/brightness ]] && echo "$one"
  done
}

light() { # light on|off: the board's light and the kiosk's own
  local one value=0
  [[ $1 == on ]] && value=1
  while read -r one; do
    echo none >"$one/trigger"
    echo $value >"$one/brightness"
  done < <(leds)
  if [[ -s $here/lights ]] && command -v pinctrl >/dev/null; then
    local pin lit
    while read -r pin lit; do
      [[ $1 == on ]] || { [[ $lit == dh ]] && lit=dl || lit=dh; }
      pinctrl set "$pin" op "$lit"
    done <"$here/lights"
  fi
} 2>/dev/null

# A pause that a signal ends at once: a sleep would be waited for.
exec {never}<> <(:)
nap() { read -rt "$1" -u "$never" || true; }

flashing=
flash() { # flash N: in the background until `still`
  still
  (
    while :; do
      for ((i = 0; i < $1; i++)); do
        light on; nap 0.2; light off; nap 0.3
      done
      nap 1.5
    done
  ) &
  flashing=$!
}

still() {
  [[ -n $flashing ]] && kill "$flashing" 2>/dev/null && wait "$flashing" 2>/dev/null
  flashing=
}

as_agent() {
  (cd "$root/var/lib/gate-agent" 2>/dev/null || cd /
    exec runuser -u gate-agent -- env GATE_AGENT_STATE_DIR="$root/var/lib/gate-agent" "$agent" "$@")
}

host() {
  [[ -s $here/host ]] || return 0
  local name
  name=$(tr -cd 'A-Za-z0-9-' <"$here/host")
  [[ -n $name ]] || return 0
  echo "$name" >"$root/etc/hostname"
  grep -q "^127\.0\.1\.1[[:space:]]$name\$" "$root/etc/hosts" 2>/dev/null ||
    { sed -i '/^127\.0\.1\.1[[:space:]]/d' "$root/etc/hosts" 2>/dev/null
      printf '127.0.1.1\t%s\n' "$name" >>"$root/etc/hosts"; }
  hostname "$name" || true
}

package() {
  local found=("$here"/deb/*.deb)
  [[ -e ${found[0]} ]] || return 0
  # One that was cut short is put right first. No source is looked at: where one has the same
  # version, apt would rather fetch it than take the file.
  DEBIAN_FRONTEND=noninteractive dpkg --configure -a &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends --allow-downgrades \
      -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=/dev/null \
      -o Dpkg::Options::=--force-confold "${found[@]}"
}

wheels() {
  local found=("$here"/wheelhouse/*.whl) python one place
  [[ -e ${found[0]} ]] || return 0
  # The package's environment has no pip. A wheel is a ZIP; one that is there already stays, because
  # its files are the package's own.
  python=$(dirname -- "$agent")/python
  place=$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])') || return 1
  for one in "${found[@]}"; do
    local name=${one##*/}
    name=${name%%-*}
    compgen -G "$place/$name-*.dist-info/RECORD" >/dev/null && continue
    "$python" -m zipfile -e "$one" "$place" || return 1
  done
}

packs() {
  local found=("$here"/packs/*)
  [[ -e ${found[0]} ]] || return 0
  as_agent models setup --from "$here/packs"
}

config() {
  # A wrong one is told in gate-status.txt, and tried again at the next boot: the rest goes on.
  "$agent" config adopt --from "$boot" --config "$root/etc/gate-agent/gate.toml" \
    --state-dir "$root/var/lib/gate-agent"
  local code=$?
  [[ $code == 0 || $code == 78 ]] || return $code
  [[ $code == 78 ]] && say "gate.toml is wrong: gate-status.txt says where"
  return 0
}

start() {
  systemctl daemon-reload &&
    systemctl enable gate-agent.service gate-agent-boot.service gate-agent-key.service \
      gate-agent-report.timer &&
    systemctl start --no-block gate-agent-key.service gate-agent.service gate-agent-report.timer
}

run() {
  local number=0 step
  mkdir -p "$done_in"
  for step in "${steps[@]}"; do
    number=$((number + 1))
    [[ -e $done_in/$step ]] && continue
    say "step $number of ${#steps[@]}: $step"
    flash "$number"
    if ! "$step"; then
      still
      say "step $number of ${#steps[@]}: $step FAILED; it is tried again at the next boot"
      flash_quick
      return 1
    fi
    still
    sync
    touch "$done_in/$step"
    sync
  done
  touch "$done_in/all"
  rm -f "$root/etc/systemd/system/multi-user.target.wants/$unit"
  sync
  light on
  say "done: the kiosk is made"
}

flash_quick() {
  local one
  while read -r one; do
    # The kernel goes on with it when this has ended.
    { echo timer >"$one/trigger" && echo 60 >"$one/delay_on" && echo 60 >"$one/delay_off"; } 2>/dev/null
  done < <(leds)
}

trap still EXIT
# The kernel's command line gives no words.
case ${1:-arm} in
  arm) arm ;;
  run) run ;;
  *) echo "Usage: first-boot.sh [arm|run]" >&2; exit 2 ;;
esac
