#include "cli/study_input.h"

#include "study/study_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_folder(const char *path)
{
    struct stat there;
    return stat(path, &there) == 0 && S_ISDIR(there.st_mode);
}

bool orr_cli_is_study(const char *path) { return ends_with(path, ".yaml") || ends_with(path, ".yml") || is_folder(path); }

bool orr_cli_open_study(const char *path, orr_campaign *campaign, orr_problems *problems)
{
    if (is_folder(path))
        return orr_campaign_reopen(campaign, path, problems);
    orr_study *study = orr_study_load(path, NULL, 0, problems);
    char *folder;
    bool ok = study != NULL && asprintf(&folder, "out/%s", study->name) >= 0;
    orr_study_destroy(study);
    if (!ok)
        return false;
    if (is_folder(folder))
        ok = orr_campaign_reopen(campaign, folder, problems);
    else
        orr_problem(problems, (orr_where){path, 0, 0}, "has not been started: there is no %s (a study that was run with -o FOLDER is named by its folder)", folder);
    ok = ok && !orr_problems_any(problems);
    free(folder);
    return ok;
}

/* Reads the study by another baseline or level than its file has. */
static bool take_options(orr_study *s, const char *baseline, double level, orr_problems *problems)
{
    if (!isnan(level))
        s->level = level;
    if (baseline != NULL)
        s->baseline = orr_study_policy_called(s, baseline, (orr_where){s->path, 0, 0}, problems);
    return s->baseline < s->policy_count;
}

cJSON *orr_cli_study_data(const char *path, const char *baseline, double level, char **made, orr_problems *problems)
{
    orr_campaign campaign;
    orr_results results;
    cJSON *data = NULL;
    if (!orr_cli_open_study(path, &campaign, problems))
        return NULL;
    if (asprintf(made, "%s/study.html", campaign.folder) < 0)
        *made = NULL;
    if (take_options(campaign.study, baseline, level, problems) && orr_results_read(&results, &campaign, problems) == ORR_OK) {
        data = orr_study_page(&results, problems);
        orr_results_clear(&results);
    }
    orr_campaign_close(&campaign);
    return data;
}
