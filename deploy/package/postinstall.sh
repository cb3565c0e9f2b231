#!/bin/sh
# Runs after each installation and upgrade of the deb or the rpm.
set -e

if ! getent group cohort >/dev/null; then
  groupadd --system cohort
fi
if ! getent passwd cohort >/dev/null; then
  useradd --system --gid cohort --home-dir /var/lib/cohort --no-create-home \
    --shell /usr/sbin/nologin --comment 'Cohort' cohort
fi
# What the administrator has made of the folder stays.
if [ ! -e /var/lib/cohort ]; then
  install -d -m 0750 -o cohort -g cohort /var/lib/cohort
fi

# The service does not start by itself: it has no store yet. A running one gets the new program.
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart cohort.service
fi
