#!/bin/sh
# Runs after a removal. The data in /var/lib/cohort and its owner stay, also when the package
# is purged: nobody else has the data.
set -e

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
fi
