/** Time: simulated time is int64 nanoseconds since the scenario's start. Nothing else is. */
#ifndef ORRERY_BASE_TIME_H
#define ORRERY_BASE_TIME_H

#include <stdint.h>

#define ORR_NANOSECOND  INT64_C(1)
#define ORR_MICROSECOND INT64_C(1000)
#define ORR_MILLISECOND INT64_C(1000000)
#define ORR_SECOND      INT64_C(1000000000)
#define ORR_MINUTE      (60 * ORR_SECOND)
#define ORR_HOUR        (60 * ORR_MINUTE)
#define ORR_DAY         (24 * ORR_HOUR)
#define ORR_NEVER       INT64_MAX

/** The longest run: inside a server durations are in 2^-10 ns, which an int64 holds for 104 days. */
#define ORR_LONGEST_RUN (100 * ORR_DAY)

#endif
