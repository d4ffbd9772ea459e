/** Stopping: SIGINT and SIGTERM ask a command to stop, which it does in its own time. */
#ifndef ORRERY_CLI_STOPPING_H
#define ORRERY_CLI_STOPPING_H

#include <signal.h>

/** From now on these signals only set the flag. */
void orr_cli_catch_signals(void);

/** Not zero once one has come. */
const volatile sig_atomic_t *orr_cli_stopping(void);

#endif
