#include "base/share.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef ORR_DATADIR
#define ORR_DATADIR "/usr/local/share/orrery"
#endif
#ifndef ORR_SOURCE_DIR
#define ORR_SOURCE_DIR "."
#endif

static char *join(const char *folder, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

char *orr_share_path(const char *name)
{
    const char *chosen = getenv("ORRERY_SHARE");
    if (chosen != NULL && *chosen != 0)
        return join(chosen, name);
    char *path = join(ORR_DATADIR, name);
    if (path == NULL || access(path, R_OK) == 0)
        return path;
    free(path);
    /* In the source tree the page lies under analysis; everything else where it is installed. */
    return join(strncmp(name, "report/", 7) == 0 ? ORR_SOURCE_DIR "/analysis" : ORR_SOURCE_DIR, name);
}
