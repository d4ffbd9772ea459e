/** Words: durations and sizes as people read them. */
#ifndef ORRERY_CLI_WORDS_H
#define ORRERY_CLI_WORDS_H

enum { ORR_WORD = 32 };

/** "90 s", "12 min", "3.4 h"; returns `text`. */
const char *orr_cli_duration(double s, char text[ORR_WORD]);

/** "1.2 GB"; returns `text`. */
const char *orr_cli_bytes(double bytes, char text[ORR_WORD]);

#endif
