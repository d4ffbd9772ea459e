/** The version of this program, from meson.build. */
#ifndef ORRERY_BASE_VERSION_H
#define ORRERY_BASE_VERSION_H

#ifndef ORR_VERSION
#define ORR_VERSION "unknown"
#endif

#endif
