"""The faults of the campaign ``diagnosis``, in the order in which they are tried."""

from .fault import Fault, Scene, wait_for
from .fault_bad_release import BadRelease
from .fault_certificate_expiring import CertificateExpiring
from .fault_clock_skew import ClockSkew
from .fault_connection_leak import ConnectionLeak
from .fault_cpu_starvation import CpuStarvation
from .fault_disk_full import DiskFull
from .fault_external_api_down import ExternalApiDown
from .fault_lock_storm import LockStorm
from .fault_nginx_misconfigured import NginxMisconfigured
from .fault_oom_kill import OomKill
from .fault_redis_out_of_memory import RedisOutOfMemory
from .fault_stale_upstream import StaleUpstream

FAULTS: tuple[type[Fault], ...] = (
    BadRelease,
    LockStorm,
    ConnectionLeak,
    RedisOutOfMemory,
    DiskFull,
    StaleUpstream,
    CertificateExpiring,
    ExternalApiDown,
    CpuStarvation,
    OomKill,
    NginxMisconfigured,
    ClockSkew,
)

__all__ = ["FAULTS", "Fault", "Scene", "wait_for"]
