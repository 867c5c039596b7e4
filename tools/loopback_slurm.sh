#!/usr/bin/env bash
# A Slurm cluster of two nodes on this machine, to try recipes on: Debian's packages slurm-wlm and munge, no root needed.
#   tools/loopback_slurm.sh start DIR     # then: export SLURM_CONF=DIR/slurm.conf, and CTAP_CMD=slurm ./run.sh ...
#   tools/loopback_slurm.sh stop DIR
# All of it lives in DIR, which must not exist before: configuration, state, spools, logs and munge's key.
set -euo pipefail
if (($# != 2)) || [[ $1 != start && $1 != stop ]]; then
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
action=$1 dir=$2
PATH=${PATH}:/usr/sbin:/sbin

for program in munged slurmctld slurmd sbatch; do
    if ! command -v "${program}" >/dev/null; then
        echo "loopback_slurm.sh: error: there is no ${program}; install slurm-wlm and munge" >&2
        exit 1
    fi
done

if [[ ${action} == stop ]]; then
    dir=$(CDPATH='' cd -- "${dir}" && pwd)
    for file in "${dir}"/run/{slurmd.n1,slurmd.n2,slurmctld,munged}.pid; do
        [[ -f ${file} ]] && kill "$(cat "${file}")" || true
    done
    exit 0
fi

mkdir -p "$(dirname "${dir}")"
mkdir "${dir}"
dir=$(CDPATH='' cd -- "${dir}" && pwd)
mkdir -p "${dir}"/{run,state,log,n1,n2}
chmod 700 "${dir}"
host=$(hostname -s)
cores=$(nproc)
memory=$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)
cat >"${dir}/slurm.conf" <<END
ClusterName=loopback
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=16817
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=${dir}/run/munge.socket
StateSaveLocation=${dir}/state
SlurmdSpoolDir=${dir}/%n
SlurmctldPidFile=${dir}/run/slurmctld.pid
SlurmdPidFile=${dir}/run/slurmd.%n.pid
SlurmctldLogFile=${dir}/log/slurmctld.log
SlurmdLogFile=${dir}/log/slurmd.%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_min_interval=100000
KillWait=30
MpiDefault=none
NodeName=n1 NodeHostname=${host} NodeAddr=127.0.0.1 Port=17001 CPUs=${cores} RealMemory=${memory}
NodeName=n2 NodeHostname=${host} NodeAddr=127.0.0.1 Port=17002 CPUs=${cores} RealMemory=${memory}
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
END
export SLURM_CONF=${dir}/slurm.conf
head -c 1024 /dev/urandom >"${dir}/munge.key"
chmod 600 "${dir}/munge.key"
munged --force --socket "${dir}/run/munge.socket" --key-file "${dir}/munge.key" --pid-file "${dir}/run/munged.pid" \
    --log-file "${dir}/log/munged.log" --seed-file "${dir}/run/munged.seed"
slurmctld
slurmd -N n1
slurmd -N n2
for _ in {1..100}; do
    if [[ $(sinfo --noheader --states=idle --format=%D 2>/dev/null) == 2 ]]; then
        echo "two nodes; now: export SLURM_CONF=${SLURM_CONF}"
        exit 0
    fi
    sleep 0.2
done
echo "loopback_slurm.sh: error: the nodes did not come up; see ${dir}/log" >&2
exit 1
