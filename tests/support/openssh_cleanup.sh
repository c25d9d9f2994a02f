#!/bin/sh
# Waits until its standard input ends, that is until a test has ended in
# whatever way, and then removes the user $1, what it runs, and the folder $2.
trap '' HUP INT TERM
cat >/dev/null

# the number may belong to another process by now
sshd=$(cat "$2/sshd.pid" 2>/dev/null)
! grep -q "$2" "/proc/$sshd/cmdline" 2>/dev/null || kill -KILL "$sshd"
tries=0
while uid=$(id -u "$1" 2>/dev/null); do
  for process in /proc/[0-9]*; do
    [ "$(stat -c %u "$process" 2>/dev/null)" != "$uid" ] ||
      kill -KILL "${process#/proc/}" 2>/dev/null
  done
  # fails while a process of the user lives, or another userdel runs
  userdel "$1" 2>/dev/null || sleep 0.05
  tries=$((tries + 1))
  [ "$tries" -lt 200 ] || exit 1
done
rm -rf "$2"
