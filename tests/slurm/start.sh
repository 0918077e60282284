#!/usr/bin/env bash
# A Slurm of one node in a folder of its own, for tests: munged, slurmctld and slurmd without systemd or cgroups.
#   tests/slurm/start.sh FOLDER CPUS    then: SLURM_CONF=FOLDER/slurm.conf sbatch ...
# It ends with this script (kill it), and so do its jobs. Needs Debian's slurm-wlm and munge.
set -euo pipefail
folder=$(realpath "$1") cpus=$2
mkdir -p "$folder"/{state,spool,munge}
chmod 700 "$folder"/munge
dd if=/dev/urandom of="$folder/munge/key" bs=128 count=1 status=none
chmod 600 "$folder/munge/key"
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'; }

cat > "$folder/slurm.conf" <<EOF
ClusterName=one
SlurmctldHost=$(hostname -s)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmdTimeout=60
KillWait=5
SchedulerParameters=sched_interval=1,bf_interval=1
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$((cpus * 2000)) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
EOF
export SLURM_CONF="$folder/slurm.conf"

stop() {
    scancel --full --user="$(id -un)" 2>/dev/null || true
    kill "${pids[@]}" 2>/dev/null || true
    wait
}
pids=()
trap stop EXIT
trap exit INT TERM
munged --foreground --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" \
    --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" & pids+=($!)
until [ -S "$folder/munge/socket" ]; do sleep 0.1; done
slurmctld -D > "$folder/slurmctld.out" 2>&1 & pids+=($!)
slurmd -D > "$folder/slurmd.out" 2>&1 & pids+=($!)
wait -n  # the first that ends is one too many
echo "a part of this Slurm ended; see $folder" >&2
exit 1
