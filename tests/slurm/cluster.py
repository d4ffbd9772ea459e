"""A real Slurm cluster for tests: one controller and several nodes on this machine, everything in one folder, thrown away afterwards.

    with Cluster(nodes=2) as cluster:
        subprocess.run(["sinfo"], env=cluster.environment)

Runs as root without systemd on Debian 12 (packages slurm-wlm and munge). Every daemon is stopped by its own pid file, whatever happens in between. Nodes have more CPUs than the
machine, so that not the rate at which tasks are started (about one a second for each CPU) but the work decides.
By hand: `cluster.py up FOLDER [NODES]` prints what to export, `cluster.py down FOLDER` stops it.
"""
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

CPUS = 8  # of a node
CONFIGURATION = """
ClusterName=orrery
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A task that lost its node is started again when its credential has expired, after two minutes by default.
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CredType=cred/munge
SlurmctldPort={port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
# No control groups: they want systemd.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0
MaxArraySize=1001
ReturnToService=2
SlurmdParameters=config_overrides
MailProg=/bin/true
JobRequeue=1
SlurmdTimeout=5
SlurmctldTimeout=30
MessageTimeout=5
MpiDefault=none
SwitchType=switch/none
"""


def missing():
    """Why no cluster can be started here; None if one can."""
    if os.geteuid() != 0:
        return "only root can start a cluster"
    if not os.path.exists("/etc/debian_version"):
        return "this is not Debian"
    absent = [p for p in ("munged", "slurmctld", "slurmd", "sbatch") if shutil.which(p, path=search_path()) is None]
    return "not installed (slurm-wlm, munge): " + ", ".join(absent) if absent else None


def search_path():
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Cluster:
    def __init__(self, nodes=2, folder=None):
        self.nodes = [f"n{i + 1}" for i in range(nodes)]
        self.folder = folder or tempfile.mkdtemp(prefix="orrery-slurm-")
        self.environment = {**os.environ, "PATH": search_path(), "SLURM_CONF": os.path.join(self.folder, "slurm.conf")}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def command(self, *arguments):
        done = subprocess.run(arguments, capture_output=True, text=True, env=self.environment, stdin=subprocess.DEVNULL, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def start(self):
        f = self.folder
        host = socket.gethostname().split(".")[0]
        os.chmod(f, 0o755)
        for name in ("state", "log", "munge", *("spool-" + n for n in self.nodes)):
            os.makedirs(os.path.join(f, name), exist_ok=True)
        os.chmod(os.path.join(f, "munge"), 0o711)
        with open(os.open(os.path.join(f, "munge/key"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400), "wb") as key:
            key.write(os.urandom(1024))
        ports = free_ports(1 + len(self.nodes))
        with open(self.environment["SLURM_CONF"], "w") as c:
            c.write(CONFIGURATION.format(folder=f, host=host, port=ports[0]))
            for name, port in zip(self.nodes, ports[1:]):
                c.write(f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={CPUS} RealMemory=1000 State=UNKNOWN\n")
            c.write("PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n")
        m = os.path.join(f, "munge")
        # --force: its folder is not where Debian has it.
        self.command("munged", "--force", f"--key-file={m}/key", f"--socket={m}/socket", f"--pid-file={m}/pid", f"--log-file={m}/log", f"--seed-file={m}/seed")
        self.command("slurmctld", "-i")
        for name in self.nodes:
            self.start_node(name)
        self.wait_until_idle()

    def start_node(self, name):
        self.command("slurmd", "-N", name)

    def kill_node(self, name):
        """kill -9 of the node's daemon; the tasks that it has started live on."""
        os.kill(self.pid(f"slurmd-{name}.pid"), signal.SIGKILL)

    def wait_until_idle(self):
        for _ in range(300):
            states = self.command("sinfo", "-h", "-N", "-o", "%T").split()
            if states == ["idle"] * len(self.nodes):
                return
            time.sleep(0.1)
        raise RuntimeError(f"nodes are {states}")

    def pid(self, name):
        with open(os.path.join(self.folder, name)) as f:
            return int(f.read())

    def stop(self):
        """The jobs, then the daemons, by their pid files: asked first, then killed."""
        try:
            self.command("scancel", "--user=root", "--quiet")
            time.sleep(1)
        except (RuntimeError, OSError, subprocess.SubprocessError):
            pass  # it has not come up
        for force in (signal.SIGTERM, signal.SIGKILL):
            running = [p for p in map(self.running, self.pid_files()) if p]
            for pid in running:
                os.kill(pid, force)
            for _ in range(50 if running else 0):
                if not any(map(self.running, self.pid_files())):
                    break
                time.sleep(0.1)
        shutil.rmtree(self.folder, ignore_errors=True)

    def pid_files(self):
        """slurmctld's, slurmd's and munged's."""
        return glob.glob(os.path.join(self.folder, "*.pid")) + glob.glob(os.path.join(self.folder, "munge/pid"))

    def running(self, file):
        """The process of a pid file, None if it is no more. A number may have gone to somebody else, who is left alone."""
        try:
            with open(file) as f:
                pid = int(f.read())
            with open(f"/proc/{pid}/comm") as f:
                return pid if f.read().strip() in ("slurmctld", "slurmd", "munged") else None
        except (OSError, ValueError):
            return None


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("up", "down"):
        sys.exit("usage: cluster.py up|down FOLDER [NODES]")
    os.makedirs(sys.argv[2], exist_ok=True)
    cluster = Cluster(int(sys.argv[3]) if len(sys.argv) > 3 else 2, os.path.abspath(sys.argv[2]))
    if sys.argv[1] == "down":
        cluster.stop()
    else:
        cluster.start()
        print(f"export SLURM_CONF={cluster.environment['SLURM_CONF']}")
