#!/bin/sh
# Runs before a removal and an upgrade. dpkg passes "remove" or "upgrade", rpm how many
# versions are left: 0 or 1.
set -e

case "$1" in
remove | 0)
  if [ -d /run/systemd/system ]; then
    systemctl disable --now cohort.service
  fi
  ;;
esac
