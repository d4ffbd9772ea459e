"""M/M/1 at load 0.8 on SimPy, for the ratio in bench/run.sh: customers per second of wall time."""
import random
import sys
import time

import simpy

CUSTOMERS = int(sys.argv[1])


def customer(env, server, sojourns):
    began = env.now
    with server.request() as turn:
        yield turn
        yield env.timeout(random.expovariate(1.0))
    sojourns[0] += env.now - began


def source(env, server, sojourns):
    for _ in range(CUSTOMERS):
        yield env.timeout(random.expovariate(0.8))
        env.process(customer(env, server, sojourns))


env, sojourns = simpy.Environment(), [0.0]
random.seed(1)
env.process(source(env, simpy.Resource(env, 1), sojourns))
began = time.perf_counter()
env.run()
print(CUSTOMERS / (time.perf_counter() - began))
