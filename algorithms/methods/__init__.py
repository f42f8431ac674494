"""The registry of methods.  Each file has one idea: its story, its methods, and their theory."""

from algorithms.method import Method
from algorithms.methods.async_work import METHODS as ASYNC_WORK
from algorithms.methods.async_work import async_batch, async_local
from algorithms.methods.buffered import METHODS as BUFFERED
from algorithms.methods.buffered import buffered
from algorithms.methods.delay_adaptive import METHODS as DELAY_ADAPTIVE
from algorithms.methods.delay_adaptive import delay_adaptive
from algorithms.methods.greedy import METHODS as GREEDY
from algorithms.methods.greedy import greedy
from algorithms.methods.local_sgd import METHODS as LOCAL_SGD
from algorithms.methods.local_sgd import local_until
from algorithms.methods.malenia import METHODS as MALENIA
from algorithms.methods.malenia import malenia
from algorithms.methods.mindflayer import METHODS as MINDFLAYER
from algorithms.methods.mindflayer import mindflayer
from algorithms.methods.queued import METHODS as QUEUED
from algorithms.methods.queued import queued
from algorithms.methods.rennala import METHODS as RENNALA
from algorithms.methods.rennala import rennala
from algorithms.methods.rescaled import METHODS as RESCALED
from algorithms.methods.rescaled import rescaled
from algorithms.methods.ringleader import METHODS as RINGLEADER
from algorithms.methods.ringleader import ringleader
from algorithms.methods.ringmaster import METHODS as RINGMASTER
from algorithms.methods.ringmaster import ringmaster
from algorithms.methods.synchronous import LOCAL_METHODS, local_rounds, synchronous
from algorithms.methods.synchronous import METHODS as SYNCHRONOUS

METHODS: dict[str, Method] = {
    **RENNALA,
    **MALENIA,
    **SYNCHRONOUS,
    **GREEDY,
    **DELAY_ADAPTIVE,
    **RINGMASTER,
    **RINGLEADER,
    **MINDFLAYER,
    **BUFFERED,
    **LOCAL_METHODS,
    **LOCAL_SGD,
    **ASYNC_WORK,
    **RESCALED,
    **QUEUED,
}

__all__ = [
    "METHODS",
    "async_batch",
    "async_local",
    "buffered",
    "delay_adaptive",
    "greedy",
    "local_rounds",
    "local_until",
    "malenia",
    "mindflayer",
    "queued",
    "rennala",
    "rescaled",
    "ringleader",
    "ringmaster",
    "synchronous",
]
