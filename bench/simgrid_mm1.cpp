// M/M/1 at load 0.8 on SimGrid, for the ratio in bench/run.sh: customers per second of wall time. It fails if the mean
// sojourn is not the 5 service times that theory gives.
//
// Two actors, a source and a server, share a std::queue of arrival times; a semaphore wakes the server, and only when it
// idles. This is the fastest of the ways tried with actors (SimGrid 3.32 on a quiet machine, customers per second):
//   an actor per customer that takes a semaphore of 1, as with SimPy:  60,000 (87,000 with stacks of 16 KiB)
//   a detached put into a mailbox per customer, got by the server:    235,000
//   a semaphore released and acquired for each customer:              480,000
//   a semaphore, or suspend and resume, only when the server idles:   610,000; 690,000 with cpu/optim:TI, which this sets
// Callbacks on simgrid::kernel::timer::Timer reach 1,550,000, but they belong to SimGrid's kernel and not to S4U, its
// interface for users: such a model has no actors, and a callback cannot block.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <queue>
#include <random>

#include <simgrid/s4u.hpp>
#include <xbt/log.h>

namespace s4u = simgrid::s4u;

int main(int argc, char **argv)
{
    s4u::Engine engine(&argc, argv); // takes SimGrid's own options out of argv
    const long customers = argc == 2 ? std::atol(argv[1]) : 0;
    if (customers <= 0) {
        std::fprintf(stderr, "usage: simgrid_mm1 CUSTOMERS\n");
        return 2;
    }
    xbt_log_control_set("xbt_cfg.thres:warning"); // no line on stderr about the next call
    s4u::Engine::set_config("cpu/optim:TI");
    s4u::NetZone *zone = s4u::create_full_zone("zone");
    s4u::Host *host = zone->create_host("host", 1e9);
    zone->seal();

    std::mt19937_64 random(1);
    std::exponential_distribution<double> between_arrivals(0.8), service(1.0);
    std::queue<double> arrivals; // of the customers that wait
    s4u::SemaphorePtr wake = s4u::Semaphore::create(0);
    bool idle = false;
    double sojourns = 0;

    s4u::Actor::create("source", host, [&] {
        for (long i = 0; i < customers; i++) {
            s4u::this_actor::sleep_for(between_arrivals(random));
            arrivals.push(s4u::Engine::get_clock());
            if (idle) {
                idle = false;
                wake->release();
            }
        }
    });
    s4u::Actor::create("server", host, [&] {
        for (long i = 0; i < customers; i++) {
            if (arrivals.empty()) {
                idle = true;
                wake->acquire();
            }
            const double arrival = arrivals.front();
            arrivals.pop();
            s4u::this_actor::sleep_for(service(random));
            sojourns += s4u::Engine::get_clock() - arrival;
        }
    });

    const auto began = std::chrono::steady_clock::now();
    engine.run();
    const double wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();

    // 5 percent at 200,000 customers is 2.5 standard errors of this mean (asymptotic variance 1976 / customers); the seed is fixed.
    const double mean = sojourns / customers, tolerance = 0.25 * std::sqrt(200000.0 / customers);
    if (!(std::fabs(mean - 5.0) <= tolerance)) {
        std::fprintf(stderr, "simgrid_mm1: the mean sojourn is %.3f, not 5 within %.3f\n", mean, tolerance);
        return 1;
    }
    std::printf("%.0f\n", customers / wall_s);
    return 0;
}
