#include "cli/cli.h"
int orr_cli_compare(int argc, char **argv) { (void)argc, (void)argv; return 2; }
