/** Wall: the clock on the wall, for progress and for what is reported of the machine. Simulated time is base/time.h; nothing simulated may depend on this. */
#ifndef ORRERY_BASE_WALL_H
#define ORRERY_BASE_WALL_H

/** Seconds since some moment in the past, never going back. */
double orr_wall_s(void);

#endif
