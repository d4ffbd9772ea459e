/**
 * Share: where the files are that come with the program (catalogues, scenarios, the parts of the report page).
 *
 * The first of these that holds the file:
 *     $ORRERY_SHARE        if it is set, and then nowhere else
 *     the installed place  PREFIX/share/orrery
 *     the source tree      from which the program was built
 */
#ifndef ORRERY_BASE_SHARE_H
#define ORRERY_BASE_SHARE_H

/**
 * Path of `name`, such as `data/sites.csv` or `report/template.html`. If it is nowhere, the path where it was looked for last, so that
 * opening it fails with a name that helps. Malloced; NULL when out of memory.
 */
char *orr_share_path(const char *name);

#endif
