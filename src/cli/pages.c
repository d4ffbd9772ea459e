#include "cli/pages.h"

#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

void orr_cli_warn_of_partial_runs(const cJSON *data)
{
    const cJSON *run;
    cJSON_ArrayForEach(run, cJSON_GetObjectItemCaseSensitive(data, "runs"))
    {
        const cJSON *file = cJSON_GetObjectItemCaseSensitive(run, "file"), *status = cJSON_GetObjectItemCaseSensitive(run, "status");
        if (cJSON_IsString(file) && cJSON_IsString(status) && strcmp(status->valuestring, "complete") != 0)
            fprintf(stderr, "%s: warning: this run is %s: it was interrupted, or its audit failed\n", file->valuestring, status->valuestring);
    }
}

int orr_cli_failure(orr_status status, orr_problems *problems)
{
    bool machine = status == ORR_NO_MEMORY || problems->out_of_memory; /* a path that cannot be written is the user's */
    int bad_input = orr_cli_problems(problems);
    return machine ? ORR_EXIT_FAILED : bad_input;
}
